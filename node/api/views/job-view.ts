import type {
  JobRecord,
  JobRequest,
  ShareRecord,
  TaskAgain,
} from '../../services/requester/records.ts'
import type { LiveRun } from '../../services/requester/live-tasks.ts'
import type { JobUpdate } from '../../services/requester/job-book.ts'
import type { JobRequestBody } from '../schemas/job-request.ts'
import type {
  JobBody,
  JobEventBody,
  JobSummary,
  ShareBody,
  TaskResultBody,
} from '../schemas/jobs.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import { answersView } from './answers-view.ts'
import { handlingView } from './handling-view.ts'
import { plainData } from './plain-data.ts'

/** A job in one line. */
export function jobSummary(job: JobRecord): JobSummary {
  const { spec } = job.request
  const done = job.results.filter((result) => result !== null)
  return {
    id: job.id,
    state: job.state,
    kind: spec.kind,
    image: spec.image.path.replace(/^\//, ''),
    tasks: spec.tasks,
    done: done.length,
    failed: done.filter(hasFailed).length,
    ...(job.cached !== undefined && { cached: job.cached }),
    ...(job.origin !== undefined && { origin: job.origin }),
    createdAt: job.createdAt,
    ...(job.ending !== undefined && { ending: job.ending }),
    ...(job.finishedAt !== undefined && { finishedAt: job.finishedAt }),
    ...(job.fetchedAt !== undefined && { fetchedAt: job.fetchedAt }),
    ...(job.error !== undefined && {
      error: { code: job.error.code, data: plainData(job.error.data) },
    }),
  }
}

/** A job with its shares, and the runs of its tasks that are under way. */
export function jobView(
  job: JobRecord,
  shares: readonly ShareRecord[],
  running: readonly LiveRun[],
): JobBody {
  const paid = shares.reduce((sum, { amount }) => sum + (amount ?? 0n), 0n)
  return {
    ...jobSummary(job),
    request: requestView(job.request),
    specCid: job.specCid,
    results: job.results.map((result) => (result === null ? null : resultView(result))),
    shares: shares.map(shareView),
    ...(job.termMs !== undefined && { termMs: job.termMs }),
    ...(job.again !== undefined && { again: job.again.map(againView) }),
    ...(running.length > 0 && { running: running.map(runView) }),
    ...(job.answers !== undefined && { answers: job.answers.map(answersView) }),
    paid: paid.toString(),
  }
}

export function shareView(share: ShareRecord): ShareBody {
  const { id, state, provider, peer, channel, seq, tasks, attempt, price, amount, error } = share
  return {
    id,
    state,
    provider,
    peer,
    channel,
    seq,
    tasks: [...tasks],
    attempt,
    price: price.toString(),
    ...(amount !== undefined && { amount: amount.toString() }),
    ...(error !== undefined && { error }),
  }
}

/** An update as an event of the job's stream. */
export function eventView(update: JobUpdate): JobEventBody {
  switch (update.type) {
    case 'job':
      return { type: 'job', job: jobSummary(update.job) }
    case 'share':
      return { type: 'share', share: shareView(update.share) }
    case 'task': {
      const { index, provider, result } = update
      const view = result === undefined ? {} : { result: resultView(result) }
      return { type: 'task', index, provider, ...view }
    }
    case 'progress': {
      const { index, percent } = update
      return { type: 'progress', index, percent }
    }
    case 'log': {
      const { index, stream, at, bytes } = update
      return { type: 'log', index, stream, at, data: Buffer.from(bytes).toString('base64') }
    }
  }
}

/** The job that an update is about. */
export function jobOf(update: JobUpdate): string {
  switch (update.type) {
    case 'job':
      return update.job.id
    case 'share':
      return update.share.job
    case 'task':
    case 'progress':
    case 'log':
      return update.job
  }
}

function runView({
  task,
  provider,
  attempt,
  startedAt,
  percent,
}: LiveRun): NonNullable<JobBody['running']>[number] {
  return { task, provider, attempt, startedAt, ...(percent !== undefined && { percent }) }
}

function againView({ last, ...again }: TaskAgain): NonNullable<JobBody['again']>[number] {
  if (last === undefined) return again
  return { ...again, last: { reason: last.reason, exitCode: last.exitCode } }
}

function resultView(result: TaskResult): TaskResultBody {
  return { ...result, files: [...result.files] }
}

function requestView({ spec, maxPrice, budget, ...request }: JobRequest): JobRequestBody {
  const { egress, secrets, ...rest } = spec
  const { attempts, bidWindowMs, bidsWanted, ...handling } = request
  return {
    attempts,
    bidWindowMs,
    bidsWanted,
    ...handlingView(handling),
    maxPrice: maxPrice.toString(),
    ...(budget !== undefined && { budget: budget.toString() }),
    spec: {
      ...rest,
      ...(egress !== undefined && { egress: [...egress] }),
      ...(secrets !== undefined && { secrets: [...secrets] }),
      args: [...spec.args],
      files: [...spec.files],
      inputs: spec.inputs.map((input) => ({ ...input, files: [...input.files] })),
    },
  }
}

/** A service that was stopped has done what it was to do. */
function hasFailed({ reason, exitCode }: TaskResult): boolean {
  return reason !== 'stopped' && (reason !== 'exit' || exitCode !== 0)
}
