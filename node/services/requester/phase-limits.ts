import type { ErrorCode } from '../../domain/error-codes.ts'
import { HiveError } from '../../domain/errors.ts'
import type { JobState } from '../../domain/job-state.ts'
import type { Clock } from '../../ports/clock.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { JobBook, JobUpdate } from './job-book.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import { dueSince } from './task-again.ts'

/** What a share has still before it when a task of it may not have begun. */
const BEFORE_BEGIN: ReadonlySet<JobState> = new Set(['awarded', 'fetching', 'running'])

/** Aborts when a share is not started, or not brought, within its job's timeouts. */
export class PhaseLimits implements AsyncDisposable {
  /** Aborts with `QUEUE_TIMEOUT`, `FETCH_TIMEOUT`, or the reason of the signal that was given. */
  readonly signal: AbortSignal
  readonly #clock: Clock
  readonly #over = new AbortController()
  readonly #done: AbortSignal
  readonly #leave = new AbortController()
  readonly #started = new AbortController()
  readonly #brought = new AbortController()
  readonly #caughtUp = Promise.withResolvers<void>()
  readonly #work = new TasksInFlight()

  /** `isTakenUp`: its provider may have more to tell of the share than is on record. */
  constructor(
    parts: { readonly clock: Clock; readonly book: JobBook },
    job: JobRecord,
    share: ShareRecord,
    isTakenUp: boolean,
    signal: AbortSignal,
  ) {
    if (!isTakenUp) this.caughtUp()
    this.#clock = parts.clock
    this.#done = AbortSignal.any([signal, this.#leave.signal])
    this.signal = AbortSignal.any([signal, this.#over.signal])
    const { queueMs, fetchMs } = job.request.timeouts ?? {}
    if (queueMs === undefined && fetchMs === undefined) return
    const updates = parts.book.updates.subscribe(this.#done)
    this.#work.start(async () => this.#listen(updates, share, fetchMs), noError)
    if (share.state === 'fetching') this.#limitFetching(fetchMs)
    const mayWait = share.begun !== true && BEFORE_BEGIN.has(share.state)
    if (queueMs === undefined || !mayWait) return
    this.#work.start(async () => this.#limitQueue(parts.book, job, share), noError)
  }

  /** Why the share took too long; `undefined` when it did not. */
  get late(): HiveError | undefined {
    return this.#over.signal.aborted ? (this.#over.signal.reason as HiveError) : undefined
  }

  /** Everything that its provider knows of the share was heard: what has not begun by that waits. */
  caughtUp(): void {
    this.#caughtUp.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave.abort()
    this.caughtUp()
    await this.#work.settled()
  }

  async #listen(
    updates: AsyncIterable<JobUpdate>,
    { id, job, provider, tasks }: ShareRecord,
    fetchMs: number | undefined,
  ): Promise<void> {
    for await (const update of updates) {
      if (update.type === 'share' && update.share.id === id) {
        if (update.share.state === 'fetching') this.#limitFetching(fetchMs)
        else if (update.share.state !== 'awarded') this.#brought.abort()
      }
      const isOurs = update.type === 'task' && update.job === job && update.provider === provider
      if (isOurs && tasks.includes(update.index)) {
        this.#brought.abort()
        this.#started.abort()
      }
    }
  }

  #limitFetching(fetchMs: number | undefined): void {
    if (fetchMs !== undefined)
      this.#limit(fetchMs, this.#brought.signal, 'FETCH_TIMEOUT', { ms: fetchMs })
  }

  /** As {@link #limit}, but the limit may be put off meanwhile. */
  async #limitQueue(book: JobBook, job: JobRecord, { tasks }: ShareRecord): Promise<void> {
    await this.#caughtUp.promise
    const enough = AbortSignal.any([this.#done, this.#started.signal])
    enough.throwIfAborted()
    const since = dueSince(job, tasks)
    while (true) {
      const { queueMs = Infinity } = (await book.get(job.id)).request.timeouts ?? {}
      const left = since + queueMs - this.#clock.now()
      if (left <= 0) return this.#over.abort(new HiveError('QUEUE_TIMEOUT', { queueMs }))
      await this.#clock.sleep(left, enough)
    }
  }

  #limit(
    ms: number,
    reached: AbortSignal,
    code: ErrorCode,
    data: Readonly<Record<string, number>>,
  ): void {
    const enough = AbortSignal.any([this.#done, reached])
    this.#work.start(async () => {
      await this.#clock.sleep(Math.max(0, ms), enough)
      this.#over.abort(new HiveError(code, data))
    }, noError)
  }
}

/** What is thrown here is the reason of a signal that says that waiting has an end. */
function noError(): void {}
