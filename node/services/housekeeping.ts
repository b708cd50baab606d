import { codeOf, HiveError } from '../domain/errors.ts'
import type { Cid } from '../domain/ids.ts'
import type { JobSpec } from '../domain/job-spec.ts'
import { isFinal } from '../domain/job-state.ts'
import type { TaskResult } from '../domain/receipt.ts'
import { isKept } from '../domain/keeping.ts'
import { hour, minute } from '../domain/units.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { blockCid } from '../protocol/cid.ts'
import { MAX_MANIFEST_BYTES } from '../protocol/limits.ts'
import { decodeManifest } from '../protocol/results.ts'
import type { ImageBook } from './image-book.ts'
import type { WorkBook } from './provider/work-book.ts'
import type { JobBook } from './requester/job-book.ts'
import type { JobRecord } from './requester/records.ts'
import type { ResultCache } from './requester/result-cache.ts'
import type { WorkflowBook } from './requester/workflow-book.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

export interface HousekeepingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly blobs: Blobs
  readonly book: JobBook
  readonly works: WorkBook | undefined
  readonly images: ImageBook
  readonly workflows: WorkflowBook
  readonly cache: ResultCache
}

export interface HousekeepingOptions {
  /** Content that may stay though nothing needs it, bytes. */
  readonly cacheBytes: number
  /** How long results of own jobs are kept that do not say so themselves, ms. */
  readonly keepResultsMs: number
}

/** How often the rest is removed, ms. */
const INTERVAL_MS: number = 10 * minute
/** Content used since is on its way to something: uploaded for a job not submitted yet, say; ms. */
const GRACE_MS: number = 1 * hour
/** How long a requester has to fetch what it was delivered, ms: the time in which it can dispute it. */
const DELIVERED_MS: number = 24 * hour

/** Removes the content that nothing needs any more, so that neither time nor strangers fill the disk. */
export class Housekeeping implements AsyncDisposable {
  readonly #parts: HousekeepingParts
  readonly #options: HousekeepingOptions
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #freedBytes = 0

  constructor(parts: HousekeepingParts, options: HousekeepingOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Bytes freed since the node started. */
  get freedBytes(): number {
    return this.#freedBytes
  }

  start(): void {
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('housekeeping stopped', { code: codeOf(error) }),
    )
  }

  /** One pass. Returns the bytes that it freed. */
  async pass(signal: AbortSignal): Promise<number> {
    const { blobs, logger, clock } = this.#parts
    const jobs = await this.#parts.book.list()
    const works = (await this.#parts.works?.all()) ?? []
    const open = (await this.#parts.workflows.list()).filter(({ state }) => state === 'running')
    // Whatever a job under way has read or made since it began stays, without looking at it.
    const begun = [
      ...jobs.filter(({ state }) => !isFinal(state)).map(({ createdAt }) => createdAt),
      ...open.map(({ createdAt }) => createdAt),
      ...works.filter(({ state, receipt }) => !isFinal(state) && !receipt).map((w) => w.startedAt),
    ]
    const unusedSince = begun.reduce((a, b) => Math.min(a, b), clock.now() - GRACE_MS)
    const { cacheBytes } = this.#options
    const keep = this.#kept(signal)
    const { blocks, bytes, leftBytes } = await blobs.sweep({
      keep,
      cacheBytes,
      unusedSince,
      signal,
    })
    if (blocks > 0) logger.info('content removed', { blocks, bytes, leftBytes })
    this.#freedBytes += bytes
    return bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async *#kept(signal: AbortSignal): AsyncIterable<Cid> {
    const { book, works, clock } = this.#parts
    const { keepResultsMs } = this.#options
    // What a step made, or will need, stays until its workflow is over.
    const open = (await this.#parts.workflows.list()).filter(({ state }) => state === 'running')
    const ids = new Set(open.map(({ id }) => id))
    for (const { request } of open)
      for (const step of request.steps) yield* inputsOf(step.request.spec)
    for (const job of await book.list()) {
      if (job.origin !== undefined && ids.has(job.origin.workflow)) yield* contentsOf(job.results)
      const { results = keepResultsMs, inputs = 0 } = job.request.keep ?? {}
      if (isKept(inputs, job, clock.now())) yield* inputsOf(job.request.spec)
      if (!isKept(results, job, clock.now())) continue
      yield job.specCid
      yield* contentsOf(job.results)
      for (const { stdout, stderr } of job.failedRuns ?? [])
        for (const tail of [stdout, stderr]) if (tail !== undefined) yield tail.cid
    }
    for (const { results } of await this.#parts.cache.list()) yield* contentsOf(results)
    for (const { cid } of await this.#parts.images.list()) yield cid
    for (const { state, spec, manifest, finishedAt = 0 } of (await works?.all()) ?? []) {
      if (isFinal(state)) continue
      yield blockCid(spec)
      if (manifest !== undefined && finishedAt > clock.now() - DELIVERED_MS)
        yield* this.#delivered(manifest, signal)
    }
  }

  /** A manifest of this node's own, and the outputs that it names. */
  async *#delivered(manifest: Cid, signal: AbortSignal): AsyncIterable<Cid> {
    const { blobs } = this.#parts
    yield manifest
    if (!(await blobs.has(manifest))) return
    const bytes = await blobs.get(manifest, { maxBytes: MAX_MANIFEST_BYTES, signal })
    for (const result of decodeManifest(bytes)) yield* outputsOf(result)
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.pass(signal).catch((error: unknown) => {
        // A disk that cannot be read now is tried again; nothing was removed that is needed.
        if (!signal.aborted)
          this.#parts.logger.warn('content could not be swept', { code: codeOf(error) })
      })
      await this.#parts.clock.sleep(INTERVAL_MS, signal).catch(() => undefined) // an abort ends the loop
    }
  }
}

function* contentsOf(results: JobRecord['results']): Iterable<Cid> {
  for (const result of results) if (result !== null) yield* outputsOf(result)
}

function* inputsOf(spec: JobSpec): Iterable<Cid> {
  yield spec.image.cid
  for (const { cid } of spec.files) yield cid
  if (spec.stdin !== undefined) yield spec.stdin.cid
  for (const { files, stdin } of spec.inputs) {
    for (const { cid } of files) yield cid
    if (stdin !== undefined) yield stdin.cid
  }
}

function* outputsOf({ stdout, stderr, files }: TaskResult): Iterable<Cid> {
  for (const { cid } of [stdout, stderr, ...files]) yield cid
}
