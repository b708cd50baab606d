import { HiveError } from '../../domain/errors.ts'
import type { Bytes32, Hex } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { Feed } from '../feed.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'
import type { JobRecord, ShareRecord } from './records.ts'

/** What a user watching a job sees. */
export type JobUpdate =
  | { readonly type: 'job'; readonly job: JobRecord }
  | { readonly type: 'share'; readonly share: ShareRecord }
  | {
      readonly type: 'task'
      readonly job: Bytes32
      readonly index: number
      readonly provider: string
      readonly result?: TaskResult
    }
  | {
      readonly type: 'progress'
      readonly job: Bytes32
      readonly index: number
      /** 0 to 100, in the program's own words. */
      readonly percent: number
    }
  | {
      readonly type: 'log'
      readonly job: Bytes32
      readonly index: number
      readonly stream: number
      /** Where in its stream it begins. */
      readonly at: number
      readonly bytes: Uint8Array
    }

/** What of a paid interval a case could need. */
interface RenewalRecord {
  readonly id: Bytes32
  readonly agreement: Hex
}

/** The one writer of the requester's job history: durable first, then visible. */
export class JobBook {
  /** Everything that happens to all jobs, as it happens. */
  readonly updates = new Feed<JobUpdate>()
  readonly #store: Store
  readonly #jobs: Table<JobRecord>
  readonly #shares: Table<ShareRecord>
  readonly #renewals: Table<RenewalRecord>
  readonly #live = new Map<Bytes32, JobRecord>()
  readonly #lock = new KeyedLock()

  constructor(store: Store) {
    this.#store = store
    this.#jobs = new Table(store, 'job/')
    this.#shares = new Table(store, 'share/')
    this.#renewals = new Table(store, 'renewal/')
  }

  /** All jobs, the newest first. */
  async list(): Promise<JobRecord[]> {
    const jobs: JobRecord[] = []
    for await (const job of this.#jobs.all()) jobs.push(this.#live.get(job.id) ?? job)
    return jobs.sort((a, b) => b.createdAt - a.createdAt)
  }

  /** The job with this id, or whose id starts so when only one does. Throws `JOB_UNKNOWN`. */
  async find(idOrStart: string): Promise<JobRecord> {
    const { record: job, matches } = await this.#jobs.only(idOrStart)
    if (job === undefined)
      throw new HiveError('JOB_UNKNOWN', { id: idOrStart.slice(0, 80), matches })
    return this.#live.get(job.id) ?? job
  }

  /** The job with exactly this id. Throws `JOB_UNKNOWN`. */
  async get(id: Bytes32): Promise<JobRecord> {
    const job = this.#live.get(id) ?? (await this.#jobs.get(id))
    if (job === undefined) throw new HiveError('JOB_UNKNOWN', { id })
    return job
  }

  /** Resolves with the job once nothing more can happen to it. Throws the signal's reason. */
  async ended(id: Bytes32, signal: AbortSignal): Promise<JobRecord> {
    const leave = new AbortController()
    const updates = this.updates.subscribe(AbortSignal.any([signal, leave.signal]))
    try {
      const job = await this.get(id)
      if (isFinal(job.state)) return job
      for await (const update of updates)
        if (update.type === 'job' && update.job.id === id && isFinal(update.job.state))
          return update.job
      signal.throwIfAborted()
      return await this.get(id)
    } finally {
      leave.abort()
    }
  }

  /** The shares of a job, in the order they were agreed. */
  async sharesOf(job: JobRecord): Promise<ShareRecord[]> {
    const shares = await Promise.all(job.shares.map((id) => this.#shares.get(id)))
    return shares.filter((share) => share !== undefined)
  }

  async share(id: Bytes32): Promise<ShareRecord | undefined> {
    return this.#shares.get(id)
  }

  /** The agreement of a share, or of an interval of one that is paid by the second, as it was signed. */
  async agreementOf(id: Bytes32): Promise<Hex | undefined> {
    return (await this.#renewals.get(id))?.agreement ?? (await this.#shares.get(id))?.agreement
  }

  /** Keeps an agreement about an interval, for {@link agreementOf}. */
  renewal(id: Bytes32, agreement: Hex): StoreChange {
    return this.#renewals.change(id, { id, agreement })
  }

  async add(job: JobRecord): Promise<void> {
    await this.#jobs.put(job.id, job)
    this.#live.set(job.id, job)
    this.updates.publish({ type: 'job', job })
  }

  /** Changes a job; concurrent changes of one job happen one after another. */
  async change(id: Bytes32, edit: (job: JobRecord) => JobRecord): Promise<JobRecord> {
    return this.#edit(id, edit, async (change) => this.#store.write([change]))
  }

  /** Writes a share and, in the same batch, notes it in its job. */
  async putShare(
    share: ShareRecord,
    edit: (job: JobRecord) => JobRecord = (job) => job,
  ): Promise<void> {
    await this.#edit(share.job, edit, async (change) => {
      await this.#store.write([this.#shares.change(share.id, share), change])
    })
    this.updates.publish({ type: 'share', share })
  }

  /** Writes changes that another gave to a commit of {@link settleShare}. */
  async write(changes: readonly StoreChange[]): Promise<void> {
    await this.#store.write(changes)
  }

  /** As {@link putShare}, but `commit` writes the changes together with its own. */
  async settleShare(
    share: ShareRecord,
    edit: (job: JobRecord) => JobRecord,
    commit: (changes: readonly StoreChange[]) => Promise<void>,
  ): Promise<void> {
    await this.#edit(share.job, edit, async (change) =>
      commit([this.#shares.change(share.id, share), change]),
    )
    this.updates.publish({ type: 'share', share })
  }

  /** Changes a share as it stands now; `commit` writes the changes, alone unless told otherwise. */
  async changeShare(
    id: Bytes32,
    edit: (share: ShareRecord) => ShareRecord,
    commit = async (changes: readonly StoreChange[]) => this.#store.write(changes),
  ): Promise<ShareRecord> {
    const known = await this.#shares.get(id)
    if (known === undefined) throw new HiveError('AGREEMENT_UNKNOWN', { agreement: id })
    let changed = known
    await this.#edit(
      known.job,
      (job) => job,
      async (change) => {
        changed = edit((await this.#shares.get(id)) ?? known)
        await commit([this.#shares.change(id, changed), change])
      },
    )
    this.updates.publish({ type: 'share', share: changed })
    return changed
  }

  async #edit(
    id: Bytes32,
    edit: (job: JobRecord) => JobRecord,
    write: (change: StoreChange) => Promise<void>,
  ): Promise<JobRecord> {
    return this.#lock.run(id, async () => {
      const job = edit(await this.get(id))
      await write(this.#jobs.change(id, job))
      if (isFinal(job.state)) this.#live.delete(id)
      else this.#live.set(id, job)
      this.updates.publish({ type: 'job', job })
      return job
    })
  }
}
