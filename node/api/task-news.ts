import { TasksInFlight } from '../services/tasks-in-flight.ts'
import type { JobBook } from '../services/requester/job-book.ts'
import { jobOf } from './views/job-view.ts'

/** What has happened to a job since it was last asked for. */
export interface JobNews {
  /** Tasks that started, printed or ended. */
  readonly tasks: ReadonlySet<number>
  /** Whether there may be results, or the job has ended. */
  readonly ofJob: boolean
}

/** Gathers which tasks of a job have news, not the news: a slow reader holds nobody up and misses nothing. */
export class TaskNews implements AsyncDisposable {
  readonly #leave = new AbortController()
  readonly #work = new TasksInFlight()
  #tasks = new Set<number>()
  #ofJob = false
  #wake = Promise.withResolvers<void>()

  constructor(book: JobBook, job: string, signal: AbortSignal) {
    const either = AbortSignal.any([signal, this.#leave.signal])
    const updates = book.updates.subscribe(either)
    this.#work.start(
      async () => {
        for await (const update of updates) {
          if (jobOf(update) !== job) continue
          if (update.type === 'job') this.#ofJob = true
          else if (update.type !== 'share') this.#tasks.add(update.index)
          this.#wake.resolve()
        }
        this.#wake.resolve()
      },
      () => undefined, // a feed throws nothing
    )
  }

  /** Resolves with what has gathered, once there is something or the reader leaves. */
  async next(): Promise<JobNews> {
    await this.#wake.promise
    const news = { tasks: this.#tasks, ofJob: this.#ofJob }
    this.#tasks = new Set()
    this.#ofJob = false
    this.#wake = Promise.withResolvers()
    return news
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave.abort()
    await this.#work.settled()
  }
}
