import type { BondOffer } from '../../domain/bid.ts'
import type { Address, Bytes32, Hex, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { Purpose } from '../../domain/spending.ts'
import { minute } from '../../domain/units.ts'
import type { EscrowChannel } from '../../ports/escrow.ts'

/** How far the chain's time may be behind this node's, ms: an expired open is not given up before. */
const CHAIN_LAG_MS: number = 10 * minute

/** What the transaction that opens a channel carries, kept so that it can be sent again where a chain forgot it. */
export interface OpeningTerms {
  readonly bondOffer: BondOffer
  readonly bondSignature: Hex
  /** Agreement that the transaction names. */
  readonly agreement: Bytes32
  /** The contract refused the transaction: sending it again would change nothing. */
  readonly refused?: true
}

/** A channel as its requester remembers it. */
export interface ChannelRecord {
  readonly id: Bytes32
  readonly provider: Address
  readonly peer: PeerId
  /** `opening` until the channel is seen on chain; no new shares go where it is `closing`. */
  readonly status: 'opening' | 'open' | 'closing' | 'closed'
  /** Unix ms. */
  readonly createdAt?: number
  readonly opening?: OpeningTerms
  readonly deposit: Amount
  /** Sent, or about to be sent, on top of the deposit; there while the outcome is not known. */
  readonly toppingUp?: Amount
  /** When the channel was first seen closed, Unix ms. */
  readonly closedAt?: number
  /** Promised by vouchers. */
  readonly cumulative: Amount
  readonly jobs: number
  /** Paid shares that the provider has acknowledged. */
  readonly acknowledged: number
  readonly lastSeq: number
  readonly voucher?: Hex
  /** Prices of shares that are agreed but not yet paid, by agreement id. */
  readonly inFlight: Readonly<Record<Bytes32, Amount>>
  /** What these are for; left out of what was agreed before this was noted. */
  readonly purposes?: Readonly<Record<Bytes32, Purpose>>
  /** Shares that were given up and whose provider has not heard of it yet. */
  readonly givenUp: readonly Bytes32[]
}

/** Where a new agreement goes. */
export interface ChannelSlot {
  readonly channel: Bytes32
  readonly seq: number
  readonly owedAfter: Amount
}

/** Promised by vouchers plus agreed and not yet paid. */
export function committed(record: ChannelRecord): Amount {
  return Object.values(record.inFlight).reduce((sum, price) => sum + price, record.cumulative)
}

/** Agreed and not yet paid. */
export function reserved(record: ChannelRecord): Amount {
  return committed(record) - record.cumulative
}

/** The sum of an amount over channels. */
export function sumOf(
  records: readonly ChannelRecord[],
  of: (record: ChannelRecord) => Amount,
): Amount {
  return records.reduce((sum, each) => sum + of(each), 0n)
}

/** As {@link sumOf}, of those that are open. */
export function sumOpen(
  records: readonly ChannelRecord[],
  of: (record: ChannelRecord) => Amount,
): Amount {
  return sumOf(
    records.filter(({ status }) => status === 'open'),
    of,
  )
}

/** The channel with one more reservation, the newest agreement on it. */
export function withReservation(
  record: ChannelRecord,
  {
    agreement,
    seq,
    price,
  }: { readonly agreement: Bytes32; readonly seq: number; readonly price: Amount },
  purpose: Purpose,
): ChannelRecord {
  const inFlight = { ...record.inFlight, [agreement]: price }
  return {
    ...record,
    lastSeq: seq,
    inFlight,
    purposes: { ...record.purposes, [agreement]: purpose },
  }
}

/** The channel without one reservation. */
export function without(record: ChannelRecord, agreement: Bytes32): ChannelRecord {
  const { [agreement]: _, ...inFlight } = record.inFlight
  const { [agreement]: __, ...purposes } = record.purposes ?? {}
  return { ...record, inFlight, purposes }
}

/** Whether the transaction that opens the channel could still be mined. `now` is Unix ms. */
export function mayStillOpen({ opening }: ChannelRecord, now: number): boolean {
  return opening !== undefined && now < opening.bondOffer.expiry * 1000 + CHAIN_LAG_MS
}

/** Whether the channel was open once: shares were reserved in it. */
export function wasOpen({ lastSeq }: ChannelRecord): boolean {
  return lastSeq > 0
}

/**
 * The record after a look at the contract; the same object when that is no news. One that was seen open and is now
 * missing is to be opened again by the same transaction, which the contract takes once: a reorganised chain forgot it,
 * or an endpoint lags, which must not make a node forget what it promised.
 */
export function asOnChain(
  record: ChannelRecord,
  found: EscrowChannel | undefined,
  now: number,
): ChannelRecord {
  if (found === undefined) {
    if (record.status === 'closed') return record
    if (record.status === 'open' && record.opening !== undefined) {
      const { refused: _, ...opening } = record.opening
      return { ...record, status: 'opening', opening }
    }
    if (record.status !== 'opening' || wasOpen(record) || mayStillOpen(record, now)) return record
    return { ...record, status: 'closed', deposit: 0n, closedAt: now }
  }
  const { status, deposit } = found
  if (record.status === status && (status === 'closed' || deposit === record.deposit)) return record
  const { closedAt: _closed, toppingUp, ...known } = record
  return {
    ...known,
    status,
    deposit,
    ...(status === 'closed' && { closedAt: now }),
    ...(toppingUp !== undefined && deposit < record.deposit + toppingUp && { toppingUp }),
  }
}
