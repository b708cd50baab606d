/**
 * As `Promise.all`, but waits until every piece of work has ended before it throws the first
 * failure, so that nothing outlives who asked for it.
 */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
