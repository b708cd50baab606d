import { HiveError } from '../domain/errors.ts'
import type { ErrorCode } from '../domain/error-codes.ts'
import type { Clock } from '../ports/clock.ts'

/** Does `work` under a signal that also aborts after `ms`; then what it throws is `code`. */
export async function withinTime<T>(
  clock: Clock,
  {
    ms,
    code,
    signal,
  }: { readonly ms: number; readonly code: ErrorCode; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const done = new AbortController()
  const timer = clock.sleep(ms, AbortSignal.any([signal, done.signal])).then(
    () => late.abort(new HiveError(code, { ms })),
    () => undefined, // it was not needed
  )
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } catch (error) {
    throw late.signal.aborted && !signal.aborted ? late.signal.reason : error
  } finally {
    done.abort()
    await timer
  }
}
