import { isCacheable, isLasting } from '../../domain/cacheable.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Cid } from '../../domain/ids.ts'
import type { JobSpec } from '../../domain/job-spec.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import { GiB } from '../../domain/units.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'
import type { JobRecord, JobRequest } from './records.ts'

/** Results of one spec. The key is the CID of its block. */
export interface CachedResults {
  readonly spec: Cid
  /** Name of the program, as the requester called it. */
  readonly image: string
  /** One a task, in order; null where none is known. */
  readonly results: readonly (TaskResult | null)[]
  /** What the results' contents take, bytes. */
  readonly bytes: number
  /** Unix ms. */
  readonly storedAt: number
  readonly usedAt: number
  /** Tasks that were answered with it so far. */
  readonly hits: number
}

export interface ResultCacheOptions {
  /** Specs beyond which those go that were not used for longest. */
  readonly maxEntries: number
  /** Bytes of contents beyond which they go. */
  readonly maxBytes: number
}

export const RESULT_CACHE_DEFAULTS: ResultCacheOptions = { maxEntries: 1000, maxBytes: 1 * GiB }

/** One at a time, so that no two jobs of one spec overwrite each other's results. */
const LOCK = 'cache'

/** Verified results of deterministic jobs, for jobs that are the same to the last bit. */
export class ResultCache {
  readonly #parts: { readonly clock: Clock; readonly store: Store; readonly blobs: Blobs }
  readonly #options: ResultCacheOptions
  readonly #table: Table<CachedResults>
  readonly #lock = new KeyedLock()

  constructor(
    parts: { readonly clock: Clock; readonly store: Store; readonly blobs: Blobs },
    options: Partial<ResultCacheOptions> = {},
  ) {
    this.#parts = parts
    this.#options = { ...RESULT_CACHE_DEFAULTS, ...options }
    this.#table = new Table(parts.store, 'result/')
  }

  /** All entries, the one used last first. */
  async list(): Promise<CachedResults[]> {
    const all: CachedResults[] = []
    for await (const each of this.#table.all()) all.push(each)
    return all.sort((a, b) => b.usedAt - a.usedAt)
  }

  /** The results that are known of a request's tasks, whose contents are all on this node; null for the others. */
  async answer(request: JobRequest, spec: Cid): Promise<(TaskResult | null)[]> {
    const none = Array.from({ length: request.spec.tasks }, () => null)
    if (!mayUse(request)) return none
    return this.#lock.run(LOCK, async () => {
      const entry = await this.#table.get(spec)
      if (entry === undefined) return none
      const results = await Promise.all(
        none.map(async (_, index) => {
          const result = entry.results[index] ?? null
          return result !== null && (await this.#isHere(result)) ? result : null
        }),
      )
      const found = results.filter((result) => result !== null).length
      const used = { usedAt: this.#parts.clock.now(), hits: entry.hits + found }
      if (found > 0) await this.#table.put(spec, { ...entry, ...used })
      return results
    })
  }

  /** Takes the results of a job that is over, if it allows that; makes room for them. */
  async take({ request, specCid, results }: JobRecord): Promise<void> {
    if (!mayUse(request)) return
    await this.#lock.run(LOCK, async () => {
      const before = await this.#table.get(specCid)
      const now = this.#parts.clock.now()
      const merged = results.map((result, index) =>
        result !== null && isLasting(result) ? result : (before?.results[index] ?? null),
      )
      const known = merged.filter((result) => result !== null)
      if (known.length === 0) return
      await this.#table.put(specCid, {
        spec: specCid,
        image: request.spec.image.path.replace(/^\//, ''),
        results: merged,
        bytes: known.reduce((sum, result) => sum + bytesOf(result), 0),
        storedAt: now,
        usedAt: now,
        hits: before?.hits ?? 0,
      })
      await this.#makeRoom()
    })
  }

  /** Forgets one entry, by its spec's CID. Throws `CACHE_UNKNOWN`. */
  async remove(spec: Cid): Promise<void> {
    await this.#lock.run(LOCK, async () => {
      if ((await this.#table.get(spec)) === undefined)
        throw new HiveError('CACHE_UNKNOWN', { spec })
      await this.#table.remove(spec)
    })
  }

  /** Forgets everything. Returns how many entries there were. */
  async clear(): Promise<number> {
    return this.#lock.run(LOCK, async () => {
      const all = await this.list()
      for (const { spec } of all) await this.#table.remove(spec)
      return all.length
    })
  }

  async #makeRoom(): Promise<void> {
    const { maxEntries, maxBytes } = this.#options
    let bytes = 0
    for (const [at, entry] of (await this.list()).entries()) {
      bytes += entry.bytes
      if (at >= maxEntries || bytes > maxBytes) await this.#table.remove(entry.spec)
    }
  }

  async #isHere({ stdout, stderr, files }: TaskResult): Promise<boolean> {
    for (const { cid } of [stdout, stderr, ...files])
      if (!(await this.#parts.blobs.has(cid))) return false
    return true
  }
}

/** Whether a job wants the cache and can be answered from one. */
function mayUse({ cache, spec }: JobRequest): boolean {
  return cache === 'allow' && isCacheable(spec)
}

/** Throws `INPUT_INVALID` for a job that asks for the cache and cannot have it. */
export function requireCacheable({ cache, spec }: { cache?: 'allow'; spec: JobSpec }): void {
  if (cache === undefined || isCacheable(spec)) return
  const problems = ['cache: only of a deterministic job without secrets']
  throw new HiveError('INPUT_INVALID', { problems })
}

function bytesOf({ stdout, stderr, files }: TaskResult): number {
  return [stdout, stderr, ...files].reduce((sum, { size }) => sum + size, 0)
}
