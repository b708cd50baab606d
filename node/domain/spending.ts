import type { Bytes32 } from './ids.ts'
import type { Amount } from './money.ts'
import { day } from './units.ts'

/** Most that a node promises to providers, in tokens; left out: no limit. */
export interface SpendingLimits {
  /** For one job: what is paid and what is agreed. */
  readonly perJob?: Amount | undefined
  /** In one day (UTC): what was agreed then, less what of it was given back the same day. */
  readonly perDay?: Amount | undefined
  /** Agreed and not yet paid, at any moment. */
  readonly outstanding?: Amount | undefined
}

/** What was agreed in one day. */
export interface SpentDay {
  /** Days since 1970, UTC. */
  readonly day: number
  readonly amount: Amount
}

/** What a reservation is for. */
export interface Purpose {
  readonly job: Bytes32
  /** When it was agreed, days since 1970. */
  readonly day: number
}

/** The day of a moment in Unix ms. */
export function dayOf(now: number): number {
  return Math.floor(now / day)
}

/** The record of the day in which `now` is; a clock that was set back does not begin a day again. */
export function today(record: SpentDay, now: number): SpentDay {
  const current = dayOf(now)
  return current > record.day ? { day: current, amount: 0n } : record
}
