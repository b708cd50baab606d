import { HiveError } from '../../domain/errors.ts'
import { isFinal } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import { MAX_TASK_TIMEOUT_MS } from '../../domain/offer.ts'
import { hour } from '../../domain/units.ts'
import { openTasks } from './awarding.ts'
import type { JobRecord, JobRequest, ShareRecord } from './records.ts'

/** What a job under way may be given more of: new values, none below what it has. */
export interface JobExtension {
  readonly queueMs?: number
  readonly totalMs?: number
  readonly attempts?: number
  readonly maxPrice?: Amount
  readonly budget?: Amount
  /** Of a service: how long it runs in all. Of any other task never, for it is in the spec that providers sign for. */
  readonly timeoutMs?: number
}

/**
 * A job with more time, attempts or price. Throws `JOB_OVER`, `INPUT_INVALID` for what would take something away, and
 * `AGREEMENT_FIXED` for what is agreed already.
 */
export function extended(
  job: JobRecord,
  shares: readonly ShareRecord[],
  extension: JobExtension,
): JobRecord {
  if (isFinal(job.state) || job.ending !== undefined)
    throw new HiveError('JOB_OVER', { id: job.id, state: job.state })
  const { request } = job
  const { attempts = request.attempts, maxPrice = request.maxPrice } = extension
  const problems = [
    ...shorter('timeouts.queue', request.timeouts?.queueMs, extension.queueMs),
    ...shorter('timeouts.total', request.timeouts?.totalMs, extension.totalMs),
    ...(attempts < request.attempts ? ['attempts: cannot be fewer than before'] : []),
    ...(maxPrice < request.maxPrice ? ['maxPrice: cannot be lower than before'] : []),
    ...lower('budget', request.budget, extension.budget),
    ...termProblems(job, extension),
  ]
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
  requireNotAgreed(job, shares, extension)
  const { budget = request.budget, timeoutMs: termMs } = extension
  const more = { attempts, maxPrice, ...(budget !== undefined && { budget }) }
  const changed = { ...request, ...more, ...timeoutsOf(request, extension) }
  return { ...job, request: changed, ...(termMs !== undefined && { termMs }) }
}

function requireNotAgreed(
  job: JobRecord,
  shares: readonly ShareRecord[],
  { timeoutMs, maxPrice }: JobExtension,
): void {
  const live = shares.filter(({ state }) => !isFinal(state))
  const agreed = new Set(live.flatMap(({ tasks }) => tasks))
  const isPlaced = openTasks(job).every((task) => agreed.has(task))
  const fixed = [
    ...(timeoutMs === undefined || isHeardInTime(job, live) ? [] : ['timeout']),
    ...(maxPrice === undefined || !isPlaced ? [] : ['maxPrice']),
  ]
  if (fixed.length > 0)
    throw new HiveError('AGREEMENT_FIXED', { fields: fixed, shares: live.length })
}

/** Whether a longer time of a service reaches its provider before the one that it knows is over. */
function isHeardInTime(
  { request: { spec }, termMs = spec.timeoutMs, stopping }: JobRecord,
  live: readonly ShareRecord[],
): boolean {
  const { service } = spec
  if (service === undefined || stopping === true) return false
  // it goes with the agreement that follows the next heartbeat
  return live.every(({ meter }) => (meter?.elapsedMs ?? 0) + service.payEveryMs < termMs)
}

function termProblems(job: JobRecord, { timeoutMs }: JobExtension): string[] {
  const { spec } = job.request
  if (timeoutMs === undefined || spec.service === undefined) return []
  const { termMs = spec.timeoutMs } = job
  if (timeoutMs < termMs) return ['timeout: cannot be shorter than before']
  const most = MAX_TASK_TIMEOUT_MS
  return timeoutMs > most ? [`timeout: at most ${most / hour} h`] : []
}

function timeoutsOf(
  { timeouts }: JobRequest,
  { queueMs, totalMs }: JobExtension,
): Pick<JobRequest, 'timeouts'> {
  const all = {
    ...timeouts,
    ...(queueMs !== undefined && { queueMs }),
    ...(totalMs !== undefined && { totalMs }),
  }
  return Object.keys(all).length > 0 ? { timeouts: all } : {}
}

function shorter(path: string, before: number | undefined, after: number | undefined): string[] {
  return less(path, 'shorter', before, after)
}

function lower(path: string, before: Amount | undefined, after: Amount | undefined): string[] {
  return less(path, 'lower', before, after)
}

/** A limit where there was none takes something away, too. */
function less<T extends number | bigint>(
  path: string,
  word: string,
  before: T | undefined,
  after: T | undefined,
): string[] {
  if (after === undefined || (before !== undefined && after >= before)) return []
  return [
    `${path}: cannot be ${word} than before${before === undefined ? ', which is no limit' : ''}`,
  ]
}
