import { HiveError } from '../../domain/errors.ts'

/** The result of `work`, or CANCELLED as soon as `signal` is aborted; the work itself goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => {
    reject(new HiveError('CANCELLED', {}, { cause: signal.reason }))
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
