import type { Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { EscrowEvent } from '../../ports/escrow.ts'

/** An event of one type. */
export type EventOf<T extends EscrowEvent['type']> = Extract<EscrowEvent, { type: T }>

/** A claim, with what the channel had paid in all once it was paid. */
export interface PaidClaim {
  readonly claim: EventOf<'claimed'>
  readonly settled: Amount
}

/** What the chain has of a case; one that ended as it was opened has no opening. */
export interface CaseStory {
  readonly opened?: EventOf<'case-opened'>
  readonly ended?: EventOf<'case-ended'>
}

/** What the events of one channel add up to. */
export interface ChannelSums {
  readonly opened: EventOf<'opened'> | undefined
  readonly claims: readonly PaidClaim[]
  /** By the agreement that they are about. */
  readonly cases: ReadonlyMap<Bytes32, CaseStory>
  readonly closing: EventOf<'closing'> | undefined
  readonly closed: EventOf<'closed'> | undefined
  /** Everything that was ever put in for the provider to earn. */
  readonly deposit: Amount
  readonly bond: Amount
  /** Paid out so far, by claims and cases, fee included. */
  readonly settled: Amount
}

/** Adds up the events of one channel, which are in order. */
export function sumsOf(events: readonly EscrowEvent[]): ChannelSums {
  const claims: PaidClaim[] = []
  const cases = new Map<Bytes32, CaseStory>()
  let [deposit, bond, settled] = [0n, 0n, 0n]
  for (const event of events) {
    if (event.type === 'opened') {
      deposit += event.deposit
      bond += event.bond
    } else if (event.type === 'topped-up' || event.type === 'sponsored') deposit += event.amount
    else if (event.type === 'bond-added') bond += event.amount
    else if (event.type === 'claimed') {
      settled += event.paid
      claims.push({ claim: event, settled })
    } else if (event.type === 'case-opened') cases.set(event.case, { opened: event })
    else if (event.type === 'case-ended') {
      settled += event.paid
      cases.set(event.case, { ...cases.get(event.case), ended: event })
    }
  }
  return {
    opened: events.find((event) => event.type === 'opened'),
    closing: events.find((event) => event.type === 'closing'),
    closed: events.find((event) => event.type === 'closed'),
    claims,
    cases,
    deposit,
    bond,
    settled,
  }
}
