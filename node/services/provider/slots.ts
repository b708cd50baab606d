import { HiveError } from '../../domain/errors.ts'
import type { GpuDevice } from '../../domain/gpu-need.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import {
  delaysNobody,
  endAfter,
  roomAfter,
  type MachineLoad,
  type Room,
} from '../../domain/queue-forecast.ts'
import { countFits, fits, plus, type Resources } from '../../domain/resources.ts'
import { gpuNeedOf, type TaskNeed } from '../../domain/task-need.ts'
import type { Clock } from '../../ports/clock.ts'
import { GpuPool } from './gpu-pool.ts'
import {
  countWaiting,
  leftOf,
  lotOf,
  lotsOf,
  type Booked,
  type BookedLot,
  type Running,
  type ShareNeed,
} from './share-line.ts'

/** Shares that can be passed at a time: what waits behind more of them does not go before its turn. */
const MAX_PASSED = 64

/**
 * The machine's resources, handed out in the order in which shares were booked. What finds room before its turn takes it
 * only where, even if it runs as long as it may, none of those ahead of it starts later than was to be expected without it.
 * A share whose tasks are not here yet keeps its place, and no room: nobody holds the machine by not sending what it needs.
 */
export class Slots {
  readonly total: Resources
  #free: Resources
  readonly #clock: Pick<Clock, 'now'>
  readonly #gpus: GpuPool
  readonly #line = new Map<Bytes32, Booked>()
  readonly #running = new Set<Running>()

  /** `total` without GPUs, which are those of the pool. */
  constructor(clock: Pick<Clock, 'now'>, total: Resources, gpus: GpuPool = new GpuPool([])) {
    this.#clock = clock
    this.total = gpus.places > 0 ? { ...total, gpus: gpus.places } : total
    this.#free = this.total
    this.#gpus = gpus
  }

  get free(): Resources {
    return this.#free
  }

  /** Tasks, arrived or still to come, that there is no room for now. */
  get waiting(): number {
    return this.waitingBeside(undefined)
  }

  /** As {@link waiting}, without those of a job. */
  waitingBeside(job: string | undefined): number {
    return countWaiting(this.#lots, { free: this.#free, gpus: this.#gpus }, job)
  }

  /** What a task is promised of each GPU. */
  get gpus(): GpuPool['promised'] {
    return this.#gpus.promised
  }

  /** How many tasks with this need could run at once if nothing else did. */
  most(need: TaskNeed): number {
    const gpus = gpuNeedOf(need)
    const count = countFits(need, this.total)
    return gpus === undefined ? count : Math.min(count, this.#gpus.most(gpus))
  }

  /** Share of the scarcest resource in use, 0 to 1. */
  get utilisation(): number {
    // more than all of it where something ran on that was not waited for
    return Math.min(1, this.#partOfTotal(this.#free))
  }

  /** What runs, waits or is still to come, as a part of the scarcest resource: above 1 when that is more than the machine. */
  get load(): number {
    return this.#partOfTotal(
      this.#lots.reduce((free, { need, count }) => plus(free, need, -count), this.#free),
    )
  }

  /** When there is room for how many such tasks at once, after all that is booked; `undefined`: never. */
  roomFor({ need, tasks, expectedMs }: ShareNeed): Room | undefined {
    const lot = { need, count: tasks, ms: expectedMs() }
    return roomAfter(this.#loadFor(need), this.#lots, lot, this.most(need))
  }

  /** Ms until such a share, booked now, has ended, though its tasks run as long as they may; Infinity: never. */
  endOf({ need, tasks, mostMs }: ShareNeed): number {
    return endAfter(this.#loadFor(need), this.#lots, { need, count: tasks, ms: mostMs })
  }

  /** Puts a share at the end of the line; it leaves when it is disposed of. */
  book(id: Bytes32, share: ShareNeed): Disposable {
    this.#line.set(id, { ...share, coming: share.tasks, waiting: [] })
    return {
      [Symbol.dispose]: () => {
        this.#line.delete(id)
        this.#startWaiting()
      },
    }
  }

  /** One task of a booked share needs no room any more. */
  skip(id: Bytes32): void {
    const booked = this.#booked(id)
    booked.coming = Math.max(0, booked.coming - 1)
  }

  /**
   * As {@link use} for what runs already, whether it fits or not, and has no GPU. Where the work finds that it does not run
   * after all, and gives `undefined`, the task is still to come.
   */
  async occupy<T>(id: Bytes32, work: () => Promise<T | undefined>): Promise<T | undefined> {
    this.skip(id)
    const booked = this.#booked(id)
    const result = await this.#spend(this.#started(booked, []), work)
    if (result === undefined) booked.coming++
    return result
  }

  /**
   * Runs a task of a booked share when it is its turn and fits, with the GPUs that are its own meanwhile, and frees its
   * room afterwards. Rejects with the signal's reason while waiting.
   */
  async use<T>(
    id: Bytes32,
    signal: AbortSignal,
    work: (gpus: readonly GpuDevice[]) => Promise<T>,
  ): Promise<T> {
    this.skip(id)
    return this.#spend(await this.#turnOf(this.#booked(id), signal), work)
  }

  #started(share: ShareNeed, gpus: readonly GpuDevice[]): Running {
    const running = { share, since: this.#clock.now(), gpus }
    this.#running.add(running)
    this.#free = plus(this.#free, share.need, -1)
    return running
  }

  async #spend<T>(running: Running, work: (gpus: readonly GpuDevice[]) => Promise<T>): Promise<T> {
    try {
      return await work(running.gpus)
    } finally {
      this.#running.delete(running)
      this.#gpus.giveBack(running.gpus)
      this.#free = plus(this.#free, running.share.need)
      this.#startWaiting()
    }
  }

  async #turnOf(share: Booked, signal: AbortSignal): Promise<Running> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const start = (running: Running) => {
        signal.removeEventListener('abort', leave)
        resolve(running)
      }
      const leave = () => {
        share.waiting.splice(share.waiting.indexOf(start), 1)
        reject(signal.reason as Error)
        this.#startWaiting()
      }
      signal.addEventListener('abort', leave, { once: true })
      share.waiting.push(start)
      this.#startWaiting()
    })
  }

  #startWaiting(): void {
    const ahead: Booked[] = []
    for (const share of this.#line.values()) {
      while (share.waiting.length > 0 && this.#mayStart(share, ahead)) {
        const wanted = gpuNeedOf(share.need)
        const gpus = wanted === undefined ? [] : (this.#gpus.take(wanted) ?? [])
        share.waiting.shift()?.(this.#started(share, gpus))
      }
      if (share.waiting.length > 0) ahead.push(share)
      if (ahead.length === MAX_PASSED) return
    }
  }

  #mayStart({ need, mostMs }: Booked, ahead: readonly Booked[]): boolean {
    if (!fits(need, this.#free)) return false
    const wanted = gpuNeedOf(need)
    if (wanted !== undefined) {
      // nor does a smaller wish pass it, or a task for many GPUs would wait for ever
      if (ahead.some((each) => gpuNeedOf(each.need) !== undefined)) return false
      if (this.#gpus.room(wanted) === 0) return false
    }
    if (ahead.length === 0) return true
    const waiting = ahead.map((each) => lotOf(each, each.waiting.length))
    return delaysNobody(this.#loadNow, waiting, { need, ms: mostMs })
  }

  /** What is booked and does not run yet, in turn. */
  get #lots(): readonly BookedLot[] {
    return lotsOf(this.#line.values())
  }

  get #loadNow(): MachineLoad {
    const now = this.#clock.now()
    return { free: this.#free, running: [...this.#running].map((each) => leftOf(each, now)) }
  }

  /** As {@link #loadNow}; of the GPUs that are free now, only those count that the need can do with. */
  #loadFor(need: TaskNeed): MachineLoad {
    const load = this.#loadNow
    const wanted = gpuNeedOf(need)
    if (wanted === undefined) return load
    return { ...load, free: { ...load.free, gpus: this.#gpus.room(wanted) * wanted.count } }
  }

  #partOfTotal(free: Resources): number {
    const used = (key: keyof Resources) => {
      const total = this.total[key] ?? 0
      return total === 0 ? 0 : 1 - (free[key] ?? 0) / total
    }
    return Math.max(used('cpuMillis'), used('memoryBytes'), used('diskBytes'), used('gpus'))
  }

  #booked(id: Bytes32): Booked {
    const booked = this.#line.get(id)
    if (booked === undefined) throw new HiveError('INTERNAL', { unbooked: id })
    return booked
  }
}
