import type { Bytes32 } from '../../../node/domain/ids.ts'
import { isFinal, type JobState } from '../../../node/domain/job-state.ts'
import type { JobBook } from '../../../node/services/requester/job-book.ts'
import type {
  JobRecord,
  JobRequest,
  ShareRecord,
} from '../../../node/services/requester/records.ts'
import type { VirtualClock } from '../time/virtual-clock.ts'

/** What became of one job, and when; times are ms since the beginning. */
export interface WatchedJob {
  readonly request: JobRequest
  readonly submittedAt: number
  firstBidAt?: number
  enoughBidsAt?: number
  matchedAt?: number
  endedAt?: number
  /** Bids that its requester took. */
  bids: number
  record: JobRecord
  readonly shares: Map<Bytes32, { share: ShareRecord; at: number }>
}

/** States of a job that a provider has signed for. */
const MATCHED: ReadonlySet<JobState> = new Set<JobState>([
  'awarded',
  'running',
  'verifying',
  'settled',
])

/** Sees what happens to jobs, as the users who gave them would. */
export class JobWatch {
  readonly jobs: WatchedJob[] = []
  readonly #clock: VirtualClock
  readonly #byId = new Map<Bytes32, WatchedJob>()
  readonly #byOffer = new Map<Bytes32, WatchedJob>()
  #open = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** Jobs that have not ended. */
  get open(): number {
    return this.#open
  }

  /** Keeps an eye on all jobs of a requester until the signal aborts. */
  async follow(book: JobBook, signal: AbortSignal): Promise<void> {
    for await (const update of book.updates.subscribe(signal)) {
      if (update.type === 'job') this.#job(update.job)
      if (update.type === 'share') this.#share(update.share)
    }
  }

  /** Counts a bid that a requester took. */
  bid(offer: Bytes32): void {
    const job = this.#byOffer.get(offer)
    if (job === undefined) return
    job.bids++
    job.firstBidAt ??= this.#clock.elapsed
    if (job.bids === job.request.bidsWanted) job.enoughBidsAt ??= this.#clock.elapsed
  }

  #job(record: JobRecord): void {
    const known = this.#byId.get(record.id) ?? this.#begin(record)
    for (const offer of record.offers) this.#byOffer.set(offer, known)
    if (MATCHED.has(record.state)) known.matchedAt ??= this.#clock.elapsed
    if (isFinal(record.state) && known.endedAt === undefined) {
      known.endedAt = this.#clock.elapsed
      this.#open--
    }
    known.record = record
  }

  #begin(record: JobRecord): WatchedJob {
    const submittedAt = this.#clock.elapsed
    const job = { request: record.request, submittedAt, bids: 0, record, shares: new Map() }
    this.#byId.set(record.id, job)
    this.jobs.push(job)
    this.#open++
    return job
  }

  #share(share: ShareRecord): void {
    const job = this.#byId.get(share.job)
    if (job === undefined) return
    const before = job.shares.get(share.id)
    job.shares.set(share.id, { share, at: before?.at ?? this.#clock.elapsed })
  }
}
