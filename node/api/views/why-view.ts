import { whatIf, type Ask } from '../../domain/what-if.ts'
import type { JobRecord, JobRequest } from '../../services/requester/records.ts'
import type { WhyBody } from '../schemas/why.ts'
import { answersView } from './answers-view.ts'
import { jobSummary } from './job-view.ts'

/** Why a job is not taken, in the words of those who declined, and what would help. */
export function whyView(job: JobRecord): WhyBody {
  const { id, state, kind, error } = jobSummary(job)
  const ask = askOf(job.request)
  const answers = job.answers ?? []
  const last = answers.at(-1)
  const helping = last === undefined ? [] : whatIf(ask, last.bids, last.declines)
  return {
    id,
    state,
    ...(error !== undefined && { error }),
    kind,
    bidWindowMs: job.request.bidWindowMs,
    ask: { ...ask, maxPrice: ask.maxPrice.toString() },
    answers: answers.map(answersView),
    whatIf: helping.map(({ change: { maxPrice, ...change }, bids }) => ({
      change: { ...change, ...(maxPrice !== undefined && { maxPrice: maxPrice.toString() }) },
      bids,
    })),
  }
}

function askOf({ spec, maxPrice }: JobRequest): Ask {
  const { cpuMillis, memoryBytes, diskBytes } = spec.resources
  const gpus = spec.gpus === undefined ? {} : { gpus: spec.gpus.count }
  return { cpuMillis, memoryBytes, diskBytes, ...gpus, maxPrice }
}
