import { HiveError } from '../../domain/errors.ts'
import { SILENCE_GRACE_MS } from '../../domain/metering.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ShareMeter } from './records.ts'

/** How long the provider of a share may be silent, ms: one that is paid by the second not much longer than an interval. */
export function silenceMs(meter: ShareMeter | undefined, lostAfterMs: number): number {
  if (meter === undefined) return lostAfterMs
  return Math.min(lostAfterMs, meter.payEveryMs + SILENCE_GRACE_MS)
}

/**
 * Does `work` under a signal that also aborts when nothing was heard for `ms`, as on a line that is stalled and not cut;
 * then it throws `PROVIDER_LOST`.
 */
export async function whileHeard<T>(
  clock: Clock,
  {
    heard,
    ms,
    signal,
  }: {
    /** `at`: Unix ms of the last word. */
    readonly heard: { readonly at: number }
    readonly ms: number
    readonly signal: AbortSignal
  },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const silent = new AbortController()
  const done = new AbortController()
  const over = AbortSignal.any([signal, done.signal])
  const watch = async () => {
    for (let leftMs = ms; leftMs > 0; leftMs = heard.at + ms - clock.now())
      await clock.sleep(leftMs, over)
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
