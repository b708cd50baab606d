import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { lookUntil } from '../look-until.ts'

export interface DrainParts {
  readonly clock: Clock
  /** Shares being worked on, or delivered and not paid yet. */
  readonly underWay: () => number
  /** Requesters that listen to shares. */
  readonly following: () => number
  /** Has what is under way end with what it has so far. */
  readonly end: () => void
  /** Gives up what is under way; each share's requester hears it as its last event. */
  readonly interrupt: () => void
}

/** How long what was ended then may take to be delivered, fetched and paid, ms. */
const DELIVERY_MS: number = 10 * second
/** How long requesters may take to hear how their shares ended, ms. */
const LAST_WORDS_MS: number = 2 * second

/**
 * Resolves when nothing is under way and everybody has heard so. What has not ended after `drainMs` delivers what it has. All
 * waits are bounded, and the signal ends all but the last.
 */
export async function drained(
  { clock, underWay, following, end, interrupt }: DrainParts,
  drainMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { signal: never } = new AbortController()
  await lookUntil(clock, () => underWay() === 0, drainMs, signal)
  if (!signal.aborted) end()
  await lookUntil(clock, () => underWay() === 0, DELIVERY_MS, signal)
  interrupt()
  await lookUntil(clock, () => following() === 0, LAST_WORDS_MS, never)
}
