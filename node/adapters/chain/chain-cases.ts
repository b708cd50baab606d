import type { Contract } from 'ethers'
import type { Agreement } from '../../domain/agreement.ts'
import {
  CASE_KINDS,
  type Accusation,
  type Case,
  type PlacedShare,
  type ShownPayment,
} from '../../domain/case.ts'
import { HiveError } from '../../domain/errors.ts'
import { ZERO_BYTES32, type Address, type Bytes32 } from '../../domain/ids.ts'
import type {
  AnchorProof,
  EscrowCases,
  SignedAgreement,
  SignedReceipt,
  SignedVoucher,
  TransactionReceipt,
} from '../../ports/escrow-cases.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { toHex } from '../../protocol/bytes.ts'
import { caseOf, shownPaymentOf } from './case-state.ts'
import type { ChannelPartiesBook } from './channel-parties.ts'
import { topicOf, type ContractReads } from './contract-reads.ts'

/** Sends a call of the escrow and waits for it. */
export type SendCall = (
  name: string,
  values: readonly unknown[],
  options: CallOptions,
) => Promise<TransactionReceipt>

export interface ChainCasesParts {
  readonly reads: ContractReads
  readonly escrow: Contract
  readonly parties: ChannelPartiesBook
  readonly send: SendCall
  /** Block of the deployment. */
  readonly fromBlock: number
}

/** Stands where the contract takes a receipt and ignores it. */
const NO_RECEIPT = {
  agreement: ZERO_BYTES32,
  completed: 0,
  amount: 0n,
  resultCommit: ZERO_BYTES32,
  trace: ZERO_BYTES32,
  dataRoot: ZERO_BYTES32,
  finishedAt: 0,
}

/** Cases of the escrow contract over JSON-RPC. */
export class ChainCases implements EscrowCases {
  readonly #parts: ChainCasesParts

  constructor(parts: ChainCasesParts) {
    this.#parts = parts
  }

  async of(id: Bytes32, options: CallOptions): Promise<Case | undefined> {
    const { reads, escrow } = this.#parts
    return caseOf(id, await reads.read(escrow, 'caseOf', [id], options))
  }

  async on(channel: Bytes32, options: CallOptions): Promise<readonly Bytes32[]> {
    const { reads, fromBlock } = this.#parts
    // An equivocation is opened and ended in one call, by its end alone.
    const kinds = [topicOf('CaseOpened'), topicOf('CaseEnded')]
    const logs = await reads.logs(fromBlock, [kinds, null, channel], options)
    return [...new Set(logs.map(({ topics }) => topics[1] as Bytes32))]
  }

  async shownPayment(id: Bytes32, options: CallOptions): Promise<ShownPayment | undefined> {
    const { reads, fromBlock } = this.#parts
    const [opened] = await reads.logs(fromBlock, [topicOf('CaseOpened'), id], options)
    const log = (await reads.logs(fromBlock, [topicOf('PaidShown'), id], options)).at(-1)
    const channel = opened?.topics[2]
    if (log === undefined || channel === undefined) return undefined
    return shownPaymentOf(log, channel as Bytes32)
  }

  async anchoredAt(signer: Address, root: Bytes32, options: CallOptions): Promise<number> {
    const { reads, escrow } = this.#parts
    return Number(await reads.read(escrow, 'anchoredAt', [signer, root], options))
  }

  async anchor(root: Bytes32, options: CallOptions): Promise<TransactionReceipt> {
    return this.#parts.send('anchor', [root], options)
  }

  async open(
    kind: Accusation,
    { agreement, requesterSignature, providerSignature }: SignedAgreement,
    receipt: SignedReceipt | undefined,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    if (receipt === undefined && kind !== 'no-show')
      throw new HiveError('INTERNAL', { action: 'openCase', reason: 'no receipt' })
    const parties = await this.#parts.parties.of(agreement.channel, options)
    const values = [
      CASE_KINDS.indexOf(kind),
      parties,
      agreement,
      toHex(requesterSignature),
      toHex(providerSignature),
      receipt?.receipt ?? NO_RECEIPT,
      receipt === undefined ? '0x' : toHex(receipt.signature),
    ]
    return this.#parts.send('openCase', values, options)
  }

  async equivocate(
    { agreement, requesterSignature, providerSignature }: SignedAgreement,
    receipts: readonly [SignedReceipt, SignedReceipt],
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const signatures = [toHex(requesterSignature), toHex(providerSignature)]
    const both = receipts.map(({ receipt }) => receipt)
    const shown = receipts.map((each) => toHex(each.signature))
    return this.#act('equivocate', agreement, [...signatures, both, shown], options)
  }

  async concede(agreement: Agreement, options: CallOptions): Promise<TransactionReceipt> {
    return this.#act('concede', agreement, [], options)
  }

  async contest(
    agreement: Agreement,
    receipt: SignedReceipt,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const values = [receipt.receipt, toHex(receipt.signature)]
    return this.#act('contest', agreement, values, options)
  }

  async resolve(agreement: Agreement, options: CallOptions): Promise<TransactionReceipt> {
    return this.#act('resolve', agreement, [], options)
  }

  async timeout(agreement: Agreement, options: CallOptions): Promise<TransactionReceipt> {
    return this.#act('timeoutCase', agreement, [], options)
  }

  async showReceipt(
    agreement: Agreement,
    receipt: SignedReceipt,
    anchor: AnchorProof | undefined,
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const { root = ZERO_BYTES32, proof = [] } = anchor ?? {}
    const values = [receipt.receipt, toHex(receipt.signature), root, proof]
    return this.#act('showReceipt', agreement, values, options)
  }

  async provePaid(
    agreement: Agreement,
    voucher: SignedVoucher,
    job: PlacedShare,
    proof: readonly Bytes32[],
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const values = [voucher.voucher, toHex(voucher.signature), job, proof]
    return this.#act('provePaid', agreement, values, options)
  }

  async disprovePaid(
    agreement: Agreement,
    shown: ShownPayment,
    other: SignedVoucher,
    otherJob: PlacedShare,
    proof: readonly Bytes32[],
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const against = [other.voucher, toHex(other.signature), otherJob, proof]
    const values = [shown.voucher, shown.job, ...against]
    return this.#act('disprovePaid', agreement, values, options)
  }

  async #act(
    name: string,
    agreement: Agreement,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<TransactionReceipt> {
    const parties = await this.#parts.parties.of(agreement.channel, options)
    return this.#parts.send(name, [parties, agreement, ...values], options)
  }
}
