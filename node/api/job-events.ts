import { isFinal } from '../domain/job-state.ts'
import type { JobBook } from '../services/requester/job-book.ts'
import type { LiveTasks } from '../services/requester/live-tasks.ts'
import type { JobRecord } from '../services/requester/records.ts'
import type { JobEventBody } from './schemas/jobs.ts'
import type { LogQuery } from './schemas/log-query.ts'
import { TaskLog, type TaskLogParts } from './task-log.ts'
import { TaskNews } from './task-news.ts'
import { eventView, jobOf, jobSummary, shareView } from './views/job-view.ts'

/** A job as it is now, then everything that happens to it until it has ended. */
export async function* jobEvents(
  { book, live }: { readonly book: JobBook; readonly live: LiveTasks },
  id: string,
  signal: AbortSignal,
): AsyncGenerator<JobEventBody> {
  // The job is read after subscribing, so that nothing falls between the two.
  const updates = book.updates.subscribe(signal)
  const job = await book.find(id)
  yield { type: 'job', job: jobSummary(job) }
  for (const share of await book.sharesOf(job)) yield { type: 'share', share: shareView(share) }
  if (isFinal(job.state)) return
  for (const { task: index, provider, percent } of live.running(job.id)) {
    yield { type: 'task', index, provider }
    if (percent !== undefined) yield { type: 'progress', index, percent }
  }
  for await (const update of updates) {
    if (jobOf(update) !== job.id) continue
    yield eventView(update)
    if (update.type === 'job' && isFinal(update.job.state)) return
  }
}

/**
 * The output of a job's tasks. Of one that has a result it is that of the result. Of one that has none yet it is what is
 * kept of its runs, the last of which may go on; what is missing of it comes from the result in the end.
 */
export async function* jobLogs(
  parts: TaskLogParts & { readonly book: JobBook },
  id: string,
  { task, follow, allRuns }: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<JobEventBody> {
  const { book } = parts
  const first = await book.find(id)
  await using news = new TaskNews(book, first.id, signal)
  const logs = first.results.map((_, index) => new TaskLog(parts, index, allRuns))
  const wanted = (index: number) => task === undefined || task === index
  let due = (_job: JobRecord, _index: number) => true
  while (!signal.aborted) {
    const job = await book.get(first.id)
    const isOver = isFinal(job.state)
    for (const [index, log] of logs.entries())
      if (wanted(index) && (isOver || due(job, index))) yield* log.rest(job, signal)
    // the last words of a job that was stopped may be put by just now
    if (isOver && endsOf(await book.get(first.id)) > endsOf(job)) continue
    if (isOver || !follow) return
    const { tasks, ofJob } = await news.next()
    due = ({ results }, index) => tasks.has(index) || (ofJob && results[index] !== null)
  }
}

function endsOf({ failedRuns = [] }: JobRecord): number {
  return failedRuns.length
}
