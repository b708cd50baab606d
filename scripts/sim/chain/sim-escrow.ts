import type { CloseMutual } from '../../../node/domain/close-mutual.ts'
import type { Address, Bytes32 } from '../../../node/domain/ids.ts'
import type { Amount } from '../../../node/domain/money.ts'
import type { Voucher } from '../../../node/domain/voucher.ts'
import type {
  OpenChannel,
  SignedVoucher,
  TopUp,
  TransactionReceipt,
} from '../../../node/ports/escrow.ts'
import type { CallOptions } from '../../../node/ports/requests.ts'
import { FakeEscrow } from '../../../test/support/fake-escrow.ts'
import type { SimChain } from './sim-chain.ts'

/** The contract as one account uses it: each transaction waits for its block. Cases are mined at once. */
export class SimEscrow extends FakeEscrow {
  readonly #chain: SimChain

  constructor(chain: SimChain, account: Address) {
    super(chain, account)
    this.#chain = chain
  }

  override async deposit(amount: Amount, options: CallOptions): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.deposit(amount, options))
  }

  override async withdraw(to: Address, amount: Amount): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.withdraw(to, amount))
  }

  override async open(
    terms: OpenChannel,
  ): Promise<{ readonly id: Bytes32; readonly receipt: TransactionReceipt }> {
    return this.#chain.send(async () => super.open(terms))
  }

  override async topUp(top: TopUp): Promise<TransactionReceipt | undefined> {
    return this.#chain.send(async () => super.topUp(top))
  }

  override async claim(voucher: Voucher, signature: Uint8Array): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.claim(voucher, signature))
  }

  override async claimMany(items: readonly SignedVoucher[]): Promise<TransactionReceipt> {
    const { signal } = new AbortController()
    return this.#chain.send(async () => super.claimMany(items, { signal }))
  }

  override async startClose(id: Bytes32): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.startClose(id))
  }

  override async close(id: Bytes32): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.close(id))
  }

  override async claimAndClose(
    voucher: Voucher,
    signature: Uint8Array,
  ): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.claimAndClose(voucher, signature))
  }

  override async closeMutual(agreed: CloseMutual): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.closeMutual(agreed))
  }

  override async releaseBond(id: Bytes32): Promise<TransactionReceipt> {
    return this.#chain.send(async () => super.releaseBond(id))
  }
}
