import type { JobBook, JobUpdate } from '../services/requester/job-book.ts'

/**
 * Hands `use` the updates of all jobs from now on, and stops listening when it is done: also when
 * it never looked at them, so that nothing piles up for a reader that has gone.
 */
export async function* watching<T>(
  book: JobBook,
  signal: AbortSignal,
  use: (updates: AsyncIterable<JobUpdate>) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const done = new AbortController()
  const updates = book.updates.subscribe(AbortSignal.any([signal, done.signal]))
  try {
    yield* use(updates)
  } finally {
    done.abort()
    await updates[Symbol.asyncIterator]().next()
  }
}
