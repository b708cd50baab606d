import type { Amount } from '../../domain/money.ts'
import type { EscrowEvent } from '../../ports/escrow.ts'

/** An event of one type. */
export type EventOf<T extends EscrowEvent['type']> = Extract<EscrowEvent, { type: T }>

/** What the events of one channel add up to. */
export interface ChannelSums {
  readonly opened: EventOf<'opened'> | undefined
  readonly claims: readonly EventOf<'claimed'>[]
  readonly closing: EventOf<'closing'> | undefined
  readonly closed: EventOf<'closed'> | undefined
  /** Everything that was ever put in for the provider to earn. */
  readonly deposit: Amount
  readonly bond: Amount
  /** Paid out so far, fee included. */
  readonly settled: Amount
}

/** Adds up the events of one channel. */
export function sumsOf(events: readonly EscrowEvent[]): ChannelSums {
  const opened = events.find((event) => event.type === 'opened')
  const claims = events.filter((event) => event.type === 'claimed')
  const added = (type: 'topped-up' | 'bond-added' | 'sponsored') =>
    events.reduce((sum, event) => (event.type === type ? sum + event.amount : sum), 0n)
  return {
    opened,
    claims,
    closing: events.find((event) => event.type === 'closing'),
    closed: events.find((event) => event.type === 'closed'),
    deposit: (opened?.deposit ?? 0n) + added('topped-up') + added('sponsored'),
    bond: (opened?.bond ?? 0n) + added('bond-added'),
    settled: events.reduce((sum, event) => ('paid' in event ? sum + event.paid : sum), 0n),
  }
}
