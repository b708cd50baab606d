import { second } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'

/** How often it is looked whether all is done, ms: a stop need not be quicker. */
const LOOK_EVERY_MS: number = second / 20

/** Resolves when all is done, `ms` have passed, or the signal aborts. */
export async function lookUntil(
  clock: Clock,
  isDone: () => boolean,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.now() + ms
  while (!isDone() && !signal.aborted && clock.now() < until)
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // the next look sees the abort
}
