import { codeOf, HiveError } from '../../domain/errors.ts'
import {
  SERIES,
  seriesRow,
  type MachineSample,
  type RunningTask,
  type TaskSample,
  type TaskUse,
} from '../../domain/machine-sample.ts'
import { minute, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MachineSampler } from '../../ports/machine-sampler.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import { Ring, type RingRows } from './ring.ts'
import type { TaskRegister } from './task-register.ts'

export interface MonitorParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly sampler: MachineSampler
  readonly running: TaskRegister
  /** What a task under way has used; `undefined` where its sandbox does not tell. */
  readonly useOf: (task: RunningTask) => Promise<TaskUse | undefined>
}

/** How fine and how long the series are. */
export const RESOLUTIONS = {
  /** Ten minutes. */
  second: { stepMs: 1 * second, capacity: 600 },
  /** A day. */
  minute: { stepMs: 1 * minute, capacity: 1440 },
} as const
export type Resolution = keyof typeof RESOLUTIONS

/** How often the machine is looked at while nobody watches, ms. */
export const IDLE_INTERVAL_MS: number = 5 * second
/** And while somebody does. */
export const WATCHED_INTERVAL_MS: number = 1 * second
/** How long after a question somebody counts as watching, ms. */
export const WATCH_MS: number = 10 * second
/** A sample that is younger answers a question, ms. */
const FRESH_MS: number = WATCHED_INTERVAL_MS / 2
/** Tasks whose own series are kept, those under way and those that ended last. */
const MAX_TASK_SERIES = 64
/** A task's own series: ten minutes of it. */
const TASK_SERIES = { stepMs: 5 * second, capacity: 120 } as const
/** What a task's own series has. */
export const TASK_COLUMNS = ['cores', 'memoryBytes'] as const

/** What the machine and its tasks did last. */
export interface Moment {
  readonly machine: MachineSample
  readonly tasks: readonly TaskSample[]
}

/** Looks at the machine now and then, and remembers a day of it. */
export class Monitor implements AsyncDisposable {
  readonly #parts: MonitorParts
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  readonly #rings: Readonly<Record<Resolution, Ring>>
  readonly #ofTasks = new Map<string, Ring>()
  /** Processor time of each task at the sample before. */
  #before = new Map<string, { readonly at: number; readonly cpuMs: number }>()
  #latest: Moment | undefined
  #looking: Promise<Moment> | undefined
  #watchedUntil = 0
  /** Aborts the rest when somebody begins to watch. */
  #rest = new AbortController()

  constructor(parts: MonitorParts) {
    this.#parts = parts
    const ring = (name: Resolution) =>
      new Ring(RESOLUTIONS[name].stepMs, RESOLUTIONS[name].capacity, SERIES.length)
    this.#rings = { second: ring('second'), minute: ring('minute') }
  }

  start(): void {
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('monitoring stopped', { code: codeOf(error) }),
    )
  }

  /** What the machine does now; from now on it is looked at more often, for a while. */
  async now(): Promise<Moment> {
    this.#watch()
    const latest = this.#latest
    const isFresh = latest !== undefined && this.#age(latest) < FRESH_MS
    return isFresh ? latest : this.#look()
  }

  /** The means since a moment, Unix ms, in the order of `SERIES`. */
  series(resolution: Resolution, since: number): RingRows {
    this.#watch()
    return this.#rings[resolution].rows(since, this.#parts.clock.now())
  }

  /** The means of one task, in the order of `TASK_COLUMNS`; `undefined` for one that was not seen lately. */
  taskSeries(id: string, since: number): RingRows | undefined {
    this.#watch()
    return this.#ofTasks.get(id)?.rows(since, this.#parts.clock.now())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
    await this.#looking?.catch(() => undefined) // whoever asked hears of it
    await this.#parts.sampler[Symbol.asyncDispose]()
  }

  #age({ machine }: Moment): number {
    return this.#parts.clock.now() - machine.at
  }

  #watch(): void {
    const now = this.#parts.clock.now()
    if (now >= this.#watchedUntil) this.#rest.abort()
    this.#watchedUntil = now + WATCH_MS
  }

  async #loop(): Promise<void> {
    const { clock, logger } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#look().catch((error: unknown) => {
        logger.debug('the machine was not seen', { code: codeOf(error) })
      })
      this.#rest = new AbortController()
      const watched = clock.now() < this.#watchedUntil
      await clock
        .sleep(
          watched ? WATCHED_INTERVAL_MS : IDLE_INTERVAL_MS,
          AbortSignal.any([signal, this.#rest.signal]),
        )
        .catch(() => undefined) // an abort ends the loop, or the rest
    }
  }

  /** One look at a time; who comes meanwhile gets the same. */
  async #look(): Promise<Moment> {
    this.#looking ??= this.#sample().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #sample(): Promise<Moment> {
    const { sampler, running, useOf } = this.#parts
    const [machine, uses] = await Promise.all([
      sampler.sample(),
      Promise.all(
        running.all.map(async (task) => ({
          task,
          // A sandbox that fails tells so to who runs the task.
          use: await useOf(task).catch(() => undefined),
        })),
      ),
    ])
    const { at } = machine
    const tasks = uses.map(({ task, use }): TaskSample =>
      use === undefined ? task : { ...task, use: { ...use, ...this.#cores(task.id, at, use) } },
    )
    this.#before = new Map(
      uses.flatMap(({ task, use }) =>
        use === undefined ? [] : [[task.id, { at, cpuMs: use.cpuMs }] as const],
      ),
    )
    const row = seriesRow(machine, tasks)
    for (const ring of Object.values(this.#rings)) ring.add(at, row)
    for (const { id, use } of tasks)
      if (use) this.#taskRing(id).add(at, [use.cores ?? NaN, use.memoryBytes])
    this.#latest = { machine, tasks }
    return this.#latest
  }

  #cores(id: string, at: number, { cpuMs }: TaskUse): { readonly cores?: number } {
    const before = this.#before.get(id)
    const ms = at - (before?.at ?? at)
    return before === undefined || ms <= 0 ? {} : { cores: Math.max(0, cpuMs - before.cpuMs) / ms }
  }

  #taskRing(id: string): Ring {
    const ring =
      this.#ofTasks.get(id) ??
      new Ring(TASK_SERIES.stepMs, TASK_SERIES.capacity, TASK_COLUMNS.length)
    // set anew, so that the map's order is that of use and the first is the one seen longest ago
    this.#ofTasks.delete(id)
    this.#ofTasks.set(id, ring)
    const [oldest] = this.#ofTasks.keys()
    if (this.#ofTasks.size > MAX_TASK_SERIES && oldest !== undefined) this.#ofTasks.delete(oldest)
    return ring
  }
}
