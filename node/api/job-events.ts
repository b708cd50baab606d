import { isFinal } from '../domain/job-state.ts'
import { MAX_OUTPUT_BYTES } from '../protocol/limits.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { TaskResult } from '../domain/receipt.ts'
import type { JobBook } from '../services/requester/job-book.ts'
import type { JobRecord } from '../services/requester/records.ts'
import { logEvents } from './log-events.ts'
import type { JobEventBody } from './schemas/jobs.ts'
import type { LogQuery } from './schemas/log-query.ts'
import { eventView, jobOf, jobSummary, shareView } from './views/job-view.ts'

/** A job as it is now, then everything that happens to it until it has ended. */
export async function* jobEvents(
  book: JobBook,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<JobEventBody> {
  // The job is read after subscribing, so that nothing falls between the two.
  const updates = book.updates.subscribe(signal)
  const job = await book.find(id)
  yield { type: 'job', job: jobSummary(job) }
  for (const share of await book.sharesOf(job)) yield { type: 'share', share: shareView(share) }
  if (isFinal(job.state)) return
  for await (const update of updates) {
    if (jobOf(update) !== job.id) continue
    yield eventView(update)
    if (update.type === 'job' && isFinal(update.job.state)) return
  }
}

interface LogParts {
  readonly book: JobBook
  readonly blobs: Blobs
}

/**
 * The output of a job's tasks: of finished ones from their results, in task order; of running ones
 * as it comes, from now on. A task that ends without having been heard live is sent from its result.
 */
export async function* jobLogs(
  parts: LogParts,
  id: string,
  { task, follow }: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<JobEventBody> {
  const updates = parts.book.updates.subscribe(signal)
  const wanted = (index: number) => task === undefined || task === index
  const sent = new Set<number>()
  const finished = (job: JobRecord) =>
    job.results.filter((each): each is TaskResult => each !== null && wanted(each.index))
  let job = await parts.book.find(id)
  for (const result of finished(job)) {
    sent.add(result.index)
    yield* outputOf(parts.blobs, result, signal)
  }
  if (!follow || isFinal(job.state)) return
  for await (const update of updates) {
    if (jobOf(update) !== job.id) continue
    if (update.type === 'log' && wanted(update.index)) {
      sent.add(update.index)
      yield eventView(update)
    }
    if (update.type !== 'job') continue
    job = update.job
    for (const result of finished(job)) {
      if (sent.has(result.index)) continue
      sent.add(result.index)
      yield* outputOf(parts.blobs, result, signal)
    }
    if (isFinal(job.state)) return
  }
}

async function* outputOf(
  blobs: Blobs,
  result: TaskResult,
  signal: AbortSignal,
): AsyncGenerator<JobEventBody> {
  for (const [stream, file] of [
    [1, result.stdout],
    [2, result.stderr],
  ] as const) {
    if (file.size === 0) continue
    const bytes = await blobs.get(file.cid, { maxBytes: MAX_OUTPUT_BYTES, signal })
    yield* logEvents(result.index, stream, bytes)
  }
}
