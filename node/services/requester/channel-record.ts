import type { Address, Bytes32, Hex, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'

/** A channel as its requester remembers it. */
export interface ChannelRecord {
  readonly id: Bytes32
  readonly provider: Address
  readonly peer: PeerId
  /** `opening` until the transaction is known to be mined. */
  readonly status: 'opening' | 'open' | 'closed'
  readonly deposit: Amount
  /** Promised by vouchers. */
  readonly cumulative: Amount
  readonly jobs: number
  /** Paid shares that the provider has acknowledged. */
  readonly acknowledged: number
  readonly lastSeq: number
  readonly voucher?: Hex
  /** Prices of shares that are agreed but not yet paid, by agreement id. */
  readonly inFlight: Readonly<Record<Bytes32, Amount>>
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

/** The channel without one reservation. */
export function without(record: ChannelRecord, agreement: Bytes32): ChannelRecord {
  const { [agreement]: _, ...inFlight } = record.inFlight
  return { ...record, inFlight }
}
