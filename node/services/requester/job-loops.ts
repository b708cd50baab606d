import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal, stepIfAllowed } from '../../domain/job-state.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { JobBook } from './job-book.ts'
import { eitherEnd, type JobEnds } from './job-ends.ts'
import type { JobRunner } from './job-runner.ts'
import type { JobRecord } from './records.ts'
import type { ResultCache } from './result-cache.ts'
import type { SecretVault } from './secret-vault.ts'
import { withLastWords } from './task-again.ts'

export interface JobLoopsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly book: JobBook
  readonly vault: SecretVault
  readonly cache: ResultCache
  readonly runner: JobRunner
}

/**
 * How long the shares of a job that is to end may take to deliver what they have, ms: a second to end what runs, and time to
 * fetch it. Somebody may be waiting at a terminal.
 */
export const ENDING_MS: number = 20 * second

/** How a job under way can be ended. */
interface WaysToEnd {
  /** Ends it with what it has so far. */
  readonly stop: AbortController
  /** Ends it as it stands. */
  readonly giveUp: AbortController
}

/** A job under way. */
interface Running extends WaysToEnd {
  /** Aborts when nothing more is done for it. */
  readonly over: AbortSignal
}

/** The jobs under way, each in a loop of its own, and how they end. */
export class JobLoops implements AsyncDisposable {
  readonly #parts: JobLoopsParts
  readonly #stop = new AbortController()
  readonly #running = new Map<Bytes32, Running>()
  readonly #work = new TasksInFlight()

  constructor(parts: JobLoopsParts) {
    this.#parts = parts
  }

  /** Sees a job that is on record through, from where it stands. */
  start(job: JobRecord, firstOffer?: Signed<'Offer'>): void {
    const [stop, giveUp, done] = [
      new AbortController(),
      new AbortController(),
      new AbortController(),
    ]
    const ways = { stop, giveUp }
    const signal = AbortSignal.any([this.#stop.signal, giveUp.signal])
    this.#running.set(job.id, { ...ways, over: done.signal })
    if (job.ending !== undefined) end(ways, job, endOf(job))
    const open = AbortSignal.any([signal, done.signal])
    for (const watch of [this.#limit(job.id, ways, open), this.#boundEnding(job.id, ways, open)])
      this.#work.start(
        async () => watch,
        () => undefined, // the job is over, or is stopped
      )
    this.#work.start(
      async () =>
        this.#run(job, firstOffer, { signal, stopped: stop.signal }).finally(() => {
          this.#running.delete(job.id)
          done.abort()
        }),
      (error) =>
        this.#parts.logger.error('job loop failed', {
          job: job.id,
          code: codeOf(error),
          message: String(error),
        }),
    )
  }

  /**
   * Ends a job; one that has ended stays as it is. The first time its shares are stopped, and what they have is fetched
   * and paid, for {@link ENDING_MS} at the latest; a second time, and for a service, they are given up. Resolves when the
   * job has ended, or the signal aborts.
   */
  async cancel(job: JobRecord, signal: AbortSignal): Promise<JobRecord> {
    const { book, vault } = this.#parts
    if (isFinal(job.state)) return job
    const running = this.#running.get(job.id)
    if (
      running !== undefined &&
      (await this.#mayStop(job)) &&
      (await this.#noteEnd(job.id, 'JOB_CANCELLED'))
    ) {
      running.stop.abort(new HiveError('JOB_CANCELLED', { id: job.id }))
      const until = AbortSignal.any([running.over, signal])
      return await book.ended(job.id, until).catch(async () => book.get(job.id))
    }
    const cancelled = await book.change(job.id, (each) =>
      this.#ended(each, 'cancel', 'JOB_CANCELLED'),
    )
    running?.giveUp.abort(new HiveError('JOB_CANCELLED', { id: job.id }))
    await vault.forget(job.id)
    return cancelled
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  /** Whether a job has shares that could deliver a part of what they have. */
  async #mayStop(job: JobRecord): Promise<boolean> {
    if (job.request.spec.service !== undefined) return false
    const shares = await this.#parts.book.sharesOf(await this.#parts.book.get(job.id))
    return shares.some(({ state }) => !isFinal(state))
  }

  /** Puts on record why a job is to end. False for one that is to end already. */
  async #noteEnd(id: Bytes32, why: NonNullable<JobRecord['ending']>): Promise<boolean> {
    let isNews = false
    await this.#parts.book.change(id, (job) => {
      isNews = job.ending === undefined && !isFinal(job.state)
      return isNews ? { ...job, ending: why } : job
    })
    return isNews
  }

  /** Stops a job when its total time is over; that may be put off meanwhile. */
  async #limit(id: Bytes32, ways: WaysToEnd, open: AbortSignal): Promise<void> {
    const { book, clock } = this.#parts
    const signal = AbortSignal.any([open, ways.stop.signal])
    while (true) {
      const job = await book.get(id)
      const { totalMs } = job.request.timeouts ?? {}
      if (totalMs === undefined) return
      const left = job.createdAt + totalMs - clock.now()
      if (left > 0) await clock.sleep(left, signal)
      else if (await this.#noteEnd(id, 'JOB_TIMEOUT'))
        return end(ways, job, new HiveError('JOB_TIMEOUT', { totalMs }))
      else return
    }
  }

  /** Gives a job up that was to end and has not; it has ended then, whatever its shares still wait for. */
  async #boundEnding(
    id: Bytes32,
    { stop: { signal: stopped }, giveUp }: WaysToEnd,
    open: AbortSignal,
  ): Promise<void> {
    const { book, clock, vault } = this.#parts
    await aborted(AbortSignal.any([stopped, open]))
    await clock.sleep(ENDING_MS, open)
    const code = codeOf(stopped.reason)
    await this.#keepResults(id)
    await book.change(id, (job) => this.#ended(job, eventOf(code), code, stopped.reason))
    giveUp.abort(stopped.reason)
    await vault.forget(id)
  }

  async #run(
    job: JobRecord,
    firstOffer: Signed<'Offer'> | undefined,
    ends: JobEnds,
  ): Promise<void> {
    try {
      await this.#parts.runner.run(job, firstOffer, ends)
      await this.#keepResults(job.id)
      await this.#parts.book.change(job.id, (each) => ({
        ...settled(each),
        finishedAt: this.#parts.clock.now(),
      }))
      await this.#parts.vault.forget(job.id)
    } catch (error) {
      // Stopping the node leaves the job as it is: the next start takes it up. One that was given up has ended.
      if (this.#stop.signal.aborted || isFinal((await this.#parts.book.get(job.id)).state)) return
      const told = eitherEnd(ends)
      const why: unknown = told.aborted ? told.reason : error
      this.#parts.logger.warn('job failed', { job: job.id, code: codeOf(why) })
      await this.#keepResults(job.id)
      await this.#parts.book.change(job.id, (each) =>
        this.#ended(each, eventOf(codeOf(why)), codeOf(why), why),
      )
      await this.#parts.vault.forget(job.id)
    }
  }

  /** Before the job is over, so that the next one finds them; what goes wrong here is not the job's. */
  async #keepResults(id: Bytes32): Promise<void> {
    const { book, cache, logger } = this.#parts
    const job = await book.get(id)
    if (job.cached === job.results.length) return
    await cache.take(job).catch((error: unknown) => {
      logger.warn('results not cached', { job: id, code: codeOf(error) })
    })
  }

  #ended(
    job: JobRecord,
    event: 'fail' | 'cancel',
    code: ReturnType<typeof codeOf>,
    cause?: unknown,
  ): JobRecord {
    if (isFinal(job.state)) return job
    const data = cause instanceof HiveError ? cause.data : {}
    return {
      ...stepIfAllowed(withLastWords(job), event),
      finishedAt: this.#parts.clock.now(),
      error: { code, data },
    }
  }
}

/** A job whose tasks all have results, brought to its end along the transition table. */
function settled(job: JobRecord): JobRecord {
  return stepIfAllowed(stepIfAllowed(stepIfAllowed(job, 'award'), 'verify'), 'settle')
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}

/** Ends a job by the way that is its own: a service that was stopped would have done well, whenever that was. */
function end({ stop, giveUp }: WaysToEnd, { request }: JobRecord, why: HiveError): void {
  const way = request.spec.service === undefined ? stop : giveUp
  way.abort(why)
}

/** The reason of a job that was to end when this node was gone. */
function endOf({ ending = 'JOB_CANCELLED', request, id }: JobRecord): HiveError {
  const { totalMs = 0 } = request.timeouts ?? {}
  return new HiveError(ending, ending === 'JOB_TIMEOUT' ? { totalMs } : { id })
}

/** A service that was stopped before anything of it ran has not failed. */
function eventOf(code: ReturnType<typeof codeOf>): 'fail' | 'cancel' {
  return code === 'JOB_CANCELLED' ? 'cancel' : 'fail'
}
