import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal, stepIfAllowed } from '../../domain/job-state.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { JobBook } from './job-book.ts'
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

/** The jobs under way, each in a loop of its own, and how they end. */
export class JobLoops implements AsyncDisposable {
  readonly #parts: JobLoopsParts
  readonly #stop = new AbortController()
  readonly #running = new Map<Bytes32, AbortController>()
  readonly #work = new TasksInFlight()

  constructor(parts: JobLoopsParts) {
    this.#parts = parts
  }

  /** Sees a job that is on record through, from where it stands. */
  start(job: JobRecord, firstOffer?: Signed<'Offer'>): void {
    const control = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, control.signal])
    const over = new AbortController()
    this.#running.set(job.id, control)
    this.#work.start(
      async () => this.#limit(job.id, control, AbortSignal.any([signal, over.signal])),
      () => undefined, // the job is over, or is stopped
    )
    this.#work.start(
      async () =>
        this.#run(job, firstOffer, signal).finally(() => {
          over.abort()
          this.#running.delete(job.id)
        }),
      (error) =>
        this.#parts.logger.error('job loop failed', {
          job: job.id,
          code: codeOf(error),
          message: String(error),
        }),
    )
  }

  /** Stops a job; one that has ended stays as it is. */
  async cancel(job: JobRecord): Promise<JobRecord> {
    if (isFinal(job.state)) return job
    const cancelled = await this.#parts.book.change(job.id, (each) =>
      this.#ended(each, 'cancel', 'JOB_CANCELLED'),
    )
    this.#running.get(job.id)?.abort(new HiveError('JOB_CANCELLED', { id: job.id }))
    await this.#parts.vault.forget(job.id)
    return cancelled
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  /** Stops a job when its total time is over; that may be put off meanwhile. */
  async #limit(id: Bytes32, control: AbortController, signal: AbortSignal): Promise<void> {
    const { book, clock } = this.#parts
    while (true) {
      const { createdAt, request } = await book.get(id)
      const { totalMs } = request.timeouts ?? {}
      if (totalMs === undefined) return
      const left = createdAt + totalMs - clock.now()
      if (left <= 0) return control.abort(new HiveError('JOB_TIMEOUT', { totalMs }))
      await clock.sleep(left, signal)
    }
  }

  async #run(
    job: JobRecord,
    firstOffer: Signed<'Offer'> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#parts.runner.run(job, firstOffer, signal)
      await this.#keepResults(job.id)
      await this.#parts.book.change(job.id, (each) => ({
        ...settled(each),
        finishedAt: this.#parts.clock.now(),
      }))
      await this.#parts.vault.forget(job.id)
    } catch (error) {
      // Stopping the node leaves the job as it is: the next start takes it up. A cancelled one has ended.
      const isLate = codeOf(signal.reason) === 'JOB_TIMEOUT'
      if (signal.aborted && !isLate) return
      const why: unknown = isLate ? signal.reason : error
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

/** A service that was stopped before anything of it ran has not failed. */
function eventOf(code: ReturnType<typeof codeOf>): 'fail' | 'cancel' {
  return code === 'JOB_CANCELLED' ? 'cancel' : 'fail'
}
