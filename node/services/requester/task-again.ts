import type { Address } from '../../domain/ids.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import { DEFAULT_RETRY, pauseAfter, triesAgain } from '../../domain/retry-policy.ts'
import type { JobRecord, JobRequest, ShareRecord, TaskAgain } from './records.ts'

/** What earlier runs of some tasks left behind. */
export interface History {
  /** Providers that are not asked again. */
  readonly tried: ReadonlySet<Address>
  /** How tasks ended that are tried again all the same: what counts when nobody runs them again. */
  readonly last: ReadonlyMap<number, TaskResult>
}

/** Whether a verified end is a task's result, and not a reason to try it again. */
export function isResult(
  result: TaskResult,
  job: JobRecord,
  run: Pick<ShareRecord, 'attempt'>,
): boolean {
  const { reason, index } = result
  // Independent providers that agree are believed; one alone may be lazy, or broken.
  if (reason === 'image-bad') return lastOf(job, index)?.reason === 'image-bad'
  if (!isBillable(reason)) return false
  const { retry = DEFAULT_RETRY, attempts } = job.request
  return run.attempt >= attempts || !triesAgain(retry, result)
}

/** Whether a task without a result may be run once more: by how it ended, or because its share was lost. */
export function mayTryAgain(
  { retry = DEFAULT_RETRY }: JobRequest,
  result: TaskResult | undefined,
): boolean {
  if (result === undefined) return retry.on.includes('lost')
  // A second opinion is no retry of what the first one did.
  return result.reason === 'image-bad' || triesAgain(retry, result)
}

/** A job that remembers how often these tasks were run, how they ended and when they are due again. */
export function withTries(
  job: JobRecord,
  tasks: readonly { readonly task: number; readonly result?: TaskResult }[],
  runs: number,
  now: number,
): JobRecord {
  if (tasks.length === 0) return job
  const { retry = DEFAULT_RETRY } = job.request
  const notBefore = now + pauseAfter(runs, retry.backOff)
  const changed = new Set(tasks.map(({ task }) => task))
  const added = tasks.map(({ task, result }): TaskAgain => {
    // What says nothing of the task does not replace what an earlier run said of it.
    const counts = result !== undefined && (isBillable(result.reason) || isDoubted(result))
    const last = counts ? result : lastOf(job, task)
    return { task, runs, notBefore, ...(last !== undefined && { last }) }
  })
  const others = (job.again ?? []).filter(({ task }) => !changed.has(task))
  return { ...job, again: [...others, ...added].sort((a, b) => a.task - b.task) }
}

/** A job with results; what was noted of earlier runs of these tasks is not needed any more. */
export function withResults(job: JobRecord, results: readonly TaskResult[]): JobRecord {
  const merged = [...job.results]
  for (const result of results) merged[result.index] = result
  const { again = [], ...rest } = job
  const open = again.filter(({ task }) => merged[task] === null)
  return { ...rest, results: merged, ...(open.length > 0 && { again: open }) }
}

/** A job that is over: how a task last ended is its result. */
export function withLastWords(job: JobRecord): JobRecord {
  const last = (job.again ?? []).flatMap(({ last: result }) => result ?? [])
  const { again: _, ...rest } = withResults(job, last)
  return rest
}

/** What is known of these tasks from the shares that had them. */
export function historyOf(
  job: JobRecord,
  shares: readonly ShareRecord[],
  tasks: readonly number[],
): History {
  const { retry = DEFAULT_RETRY } = job.request
  const wanted = new Set(tasks)
  const last = new Map(
    (job.again ?? []).flatMap(({ task, last: result }) =>
      wanted.has(task) && result !== undefined ? [[task, result] as const] : [],
    ),
  )
  const needsOther = retry.elsewhere || [...last.values()].some(isDoubted)
  const had = shares.filter(
    ({ state, tasks: own }) =>
      (state === 'settled' || state === 'failed') && own.some((task) => wanted.has(task)),
  )
  return { tried: new Set(needsOther ? had.map(({ provider }) => provider) : []), last }
}

/** Tasks that were run equally often and are due at the same time. */
export interface DueTasks {
  readonly tasks: readonly number[]
  readonly runs: number
  /** Unix ms. */
  readonly notBefore: number
}

/** Open tasks by how often they were run and when they are due. */
export function dueTasks(job: JobRecord, tasks: readonly number[]): DueTasks[] {
  const known = new Map((job.again ?? []).map((each) => [each.task, each]))
  const groups = new Map<string, { tasks: number[]; runs: number; notBefore: number }>()
  for (const task of tasks) {
    const { runs, notBefore } = known.get(task) ?? { runs: 0, notBefore: 0 }
    const key = `${runs} ${notBefore}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { tasks: [task], runs, notBefore })
    else group.tasks.push(task)
  }
  return [...groups.values()]
}

/** When the first of these open tasks could run: since the job was submitted, or since its last pause; Unix ms. */
export function dueSince(job: JobRecord, tasks: readonly number[]): number {
  const wanted = new Set(tasks)
  const again = (job.again ?? []).filter(({ task }) => wanted.has(task))
  const since = again.map(({ notBefore }) => notBefore)
  return again.length < wanted.size ? job.createdAt : Math.min(...since)
}

function lastOf(job: JobRecord, task: number): TaskResult | undefined {
  return job.again?.find((each) => each.task === task)?.last
}

function isDoubted({ reason }: TaskResult): boolean {
  return reason === 'image-bad'
}
