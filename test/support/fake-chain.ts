import type { Case, ShownPayment } from '../../node/domain/case.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import { feeUp, type Amount } from '../../node/domain/money.ts'
import type {
  AccountRecord,
  Escrow,
  EscrowChannel,
  EscrowEvent,
  TransactionReceipt,
} from '../../node/ports/escrow.ts'
import type { MessageName, Messages } from '../../node/protocol/messages.ts'
import { recoverSignatory } from '../../node/protocol/signature.ts'
import { digestOf, domainSeparator, structHash } from '../../node/protocol/typed-data.ts'
import { FakeEscrow } from './fake-escrow.ts'
import { least, reverted, TREASURY } from './fake-reverts.ts'

/** An event before its transaction is mined. */
export type EventBody = EscrowEvent extends infer E
  ? E extends EscrowEvent
    ? Omit<E, 'block' | 'transaction'>
    : never
  : never

/** One contract for all nodes of a test, in memory, with the contract's rules. */
export class FakeChain {
  readonly chainId = 31337
  readonly address: Address = `0x${'e5'.repeat(20)}`
  readonly free = new Map<Address, Amount>()
  readonly token = new Map<Address, Amount>()
  readonly channels = new Map<Bytes32, EscrowChannel>()
  readonly cases = new Map<Bytes32, Case>()
  /** What was shown in a case, by its id. */
  readonly shown = new Map<Bytes32, ShownPayment>()
  /** Channels in which a case paid: a total does not tell any more what vouchers paid. */
  readonly paidByCase = new Set<Bytes32>()
  /** What a provider asks for a whole job, by case, where that is more than the case may pay. */
  readonly asked = new Map<Bytes32, bigint>()
  /** Unix seconds, by key and root. */
  readonly anchors = new Map<string, number>()
  /** By channel and payer. */
  readonly sponsorships = new Map<string, Amount>()
  /** By channel: what its requester paid of a sponsored deposit, from the close on. */
  readonly requesterShares = new Map<Bytes32, Amount>()
  readonly records = new Map<Address, AccountRecord>()
  readonly events: EscrowEvent[] = []
  /** Unix seconds. */
  now: () => number = () => Math.floor(Date.now() / 1000)
  #block = 0

  /** Gives an account tokens inside and outside the escrow. */
  fund(account: Address, free: Amount, token: Amount = 0n): void {
    this.free.set(account, free)
    this.token.set(account, token)
  }

  move(account: Address, delta: Amount): void {
    const next = (this.free.get(account) ?? 0n) + delta
    if (next < 0n) throw reverted('ComputeEscrowInsufficientFree')
    this.free.set(account, next)
    const known = this.record(account)
    if (delta > 0n && known.firstSeen === 0)
      this.records.set(account, { ...known, firstSeen: this.now() })
  }

  record(account: Address): AccountRecord {
    return this.records.get(account) ?? { feesPaid: 0n, faults: 0, firstSeen: 0 }
  }

  fault(account: Address): void {
    const known = this.record(account)
    this.records.set(account, { ...known, faults: known.faults + 1 })
  }

  /** Raises what a channel has paid to `total`, at most its deposit, less the fee; keeps the rest of `channel`. */
  pay(channel: EscrowChannel, total: Amount): { readonly paid: Amount; readonly fee: Amount } {
    const settled = least(total, channel.deposit)
    const paid = settled > channel.settled ? settled - channel.settled : 0n
    const fee = feeUp(paid, BigInt(channel.feeBps))
    this.channels.set(channel.id, { ...channel, settled: channel.settled + paid })
    this.move(channel.provider, paid - fee)
    this.move(TREASURY, fee)
    const known = this.record(channel.provider)
    this.records.set(channel.provider, { ...known, feesPaid: known.feesPaid + fee })
    return { paid, fee }
  }

  /** Gives the requester of a closed channel what neither cases nor sponsors have in it. Returns how much. */
  leaveOnlyKept(id: Bytes32): Amount {
    const channel = this.channels.get(id)
    if (channel === undefined) return 0n
    const rest = channel.deposit - channel.settled
    const kept = channel.sponsored > 0n ? rest : least(rest, channel.frozen)
    this.channels.set(id, { ...channel, deposit: channel.settled + kept })
    this.move(channel.requester, rest - kept)
    return rest - kept
  }

  /** Reverts unless `signer` signed the message. */
  checkSigned<N extends MessageName>(
    name: N,
    message: Messages[N],
    signature: Uint8Array,
    signer: Address,
  ): void {
    const domain = domainSeparator({ chainId: this.chainId, escrow: this.address })
    const digest = digestOf(domain, structHash(name, message))
    if (recoverSignatory(digest, signature).address !== signer)
      throw reverted('ComputeEscrowBadSigner')
  }

  get newestBlock(): number {
    return this.#block
  }

  /** One transaction in a block of its own. */
  mine(...events: EventBody[]): TransactionReceipt {
    const hash: Bytes32 = `0x${(++this.#block).toString(16).padStart(64, '0')}`
    for (const event of events)
      this.events.push({ ...event, block: this.#block, transaction: hash })
    return { hash, block: this.#block, gasUsed: 50_000 }
  }

  /** The contract as one account uses it. */
  as(account: Address): Escrow {
    return new FakeEscrow(this, account)
  }
}
