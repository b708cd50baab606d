import { hour, minute } from './units.ts'

/** What a requester remembers of a provider: what came of its shares, whatever it promised. */
export interface TrackRecord {
  /** Tasks that it ran to a billable end. */
  readonly delivered: number
  /** Shares that failed by its doing. */
  readonly failed: number
  /** Of these, how many came one after the other up to now. */
  readonly failedInRow: number
  /** Unix ms; 0 when none ever did. */
  readonly lastFailureAt: number
  /** Most tasks that it delivered in one share. */
  readonly largest: number
  /** Wall time of its latest share for each task in it, ms; absent until one was delivered. */
  readonly msPerTask?: number
}

export const NO_RECORD: TrackRecord = {
  delivered: 0,
  failed: 0,
  failedInRow: 0,
  lastFailureAt: 0,
  largest: 0,
}

/** Tasks at a time that anybody is believed to run; what a stranger's first share is measured by. */
export const NEWCOMER_CAPACITY = 16
/** How much more than it has shown a provider is believed to be capable of, times. */
const GROWTH = 2
/** How long a provider is passed over after a failure, ms; twice as long after each further one in a row. */
const FIRST_REST_MS: number = 1 * minute
const LONGEST_REST_MS: number = 1 * hour

/** The record after a share of which `delivered` tasks were, in `tookMs`. */
export function afterDelivery(record: TrackRecord, delivered: number, tookMs: number): TrackRecord {
  if (delivered === 0) return record
  return {
    ...record,
    delivered: record.delivered + delivered,
    failedInRow: 0,
    largest: Math.max(record.largest, delivered),
    msPerTask: Math.max(0, tookMs) / delivered,
  }
}

/** The record after a share that failed by the provider's doing. `now` is Unix ms. */
export function afterFailure(record: TrackRecord, now: number): TrackRecord {
  const { failed, failedInRow } = record
  return { ...record, failed: failed + 1, failedInRow: failedInRow + 1, lastFailureAt: now }
}

/** Failures in a row that still count against a provider: none once it has rested. `now` is Unix ms. */
export function faultsOf({ failedInRow, lastFailureAt }: TrackRecord, now: number): number {
  if (failedInRow === 0) return 0
  const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failedInRow - 1))
  return now < lastFailureAt + restMs ? failedInRow : 0
}

/** How many tasks at a time a provider is believed to run that claims `claimed`. */
export function believedCapacity({ largest }: TrackRecord, claimed: number): number {
  return Math.min(claimed, Math.max(NEWCOMER_CAPACITY, GROWTH * largest))
}
