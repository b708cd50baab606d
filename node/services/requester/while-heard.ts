import { HiveError } from '../../domain/errors.ts'
import { SILENCE_GRACE_MS } from '../../domain/metering.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ShareMeter } from './records.ts'

/** Longest that a provider of a metered share may be silent, ms: not much longer than an interval. */
export function longestSilence({ payEveryMs }: ShareMeter): number {
  return payEveryMs + SILENCE_GRACE_MS
}

/** What is listened to, and how long it may be silent. */
export interface ListenedTo {
  /** `at`: Unix ms of the last word. */
  readonly heard: { readonly at: number }
  readonly maxSilenceMs: number
  readonly signal: AbortSignal
}

/**
 * Does `work` under a signal that also aborts when nothing was heard for `maxSilenceMs`, as on a line that is stalled and
 * not cut; then it throws `PROVIDER_LOST`.
 */
export async function whileHeard<T>(
  clock: Clock,
  { heard, maxSilenceMs, signal }: ListenedTo,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const silent = new AbortController()
  const done = new AbortController()
  const over = AbortSignal.any([signal, done.signal])
  const leftMs = () => heard.at + maxSilenceMs - clock.now()
  const watch = async () => {
    while (leftMs() > 0) await clock.sleep(leftMs(), over)
    silent.abort(new HiveError('PROVIDER_LOST', { silentMs: clock.now() - heard.at }))
  }
  const watching = watch().catch(() => undefined) // it was heard to the end, or is not listened to any more
  try {
    return await work(AbortSignal.any([signal, silent.signal]))
  } catch (error) {
    throw silent.signal.aborted && !signal.aborted ? silent.signal.reason : error
  } finally {
    done.abort()
    await watching
  }
}
