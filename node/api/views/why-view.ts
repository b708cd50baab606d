import { JOB_KINDS } from '../../domain/job-spec.ts'
import { whatIf, type Ask } from '../../domain/what-if.ts'
import type { PeerView } from '../../services/presence.ts'
import type { JobRecord, JobRequest } from '../../services/requester/records.ts'
import type { WhyBody } from '../schemas/why.ts'
import { answersView } from './answers-view.ts'
import { jobSummary } from './job-view.ts'

/** Why a job is not taken, in the words of those who declined, and what would help. */
export function whyView(job: JobRecord, connected?: readonly PeerView[]): WhyBody {
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
    ...(connected !== undefined && { connected: connectedView(connected) }),
    whatIf: helping.map(({ change: { maxPrice, ...change }, bids }) => ({
      change: { ...change, ...(maxPrice !== undefined && { maxPrice: maxPrice.toString() }) },
      bids,
    })),
  }
}

/** Whether the newest offer of a job was sent to no node at all. */
export function reachedNobody({ answers }: JobRecord): boolean {
  const last = answers?.at(-1)
  return last?.asked === 0 && last.bids === 0
}

function connectedView(peers: readonly PeerView[]): NonNullable<WhyBody['connected']> {
  const kinds: Record<string, number> = {}
  for (const kind of peers.flatMap(({ advert }) => advert?.kinds ?? []))
    if (JOB_KINDS.some((known) => known === kind)) kinds[kind] = (kinds[kind] ?? 0) + 1
  return { nodes: peers.length, kinds }
}

function askOf({ spec, maxPrice }: JobRequest): Ask {
  const { cpuMillis, memoryBytes, diskBytes } = spec.resources
  const { count: gpus, memoryBytes: gpuMemoryBytes } = spec.gpus ?? {}
  return {
    cpuMillis,
    memoryBytes,
    diskBytes,
    ...(gpus !== undefined && { gpus }),
    ...(gpuMemoryBytes !== undefined && { gpuMemoryBytes }),
    maxPrice,
  }
}
