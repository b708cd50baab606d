import type { GpuDevice } from '../../domain/gpu-need.ts'
import { countFits, fits, plus, type Resources } from '../../domain/resources.ts'
import { gpuNeedOf, type TaskNeed } from '../../domain/task-need.ts'
import { GpuPool } from './gpu-pool.ts'

interface Waiting {
  readonly need: TaskNeed
  readonly start: (gpus: readonly GpuDevice[]) => void
}

/**
 * The machine's resources, handed out first come first served. Only who waits for a GPU holds up nobody but those who
 * come after it for one.
 */
export class Slots {
  readonly total: Resources
  #free: Resources
  readonly #gpus: GpuPool
  readonly #queue: Waiting[] = []

  /** `total` without GPUs, which are those of the pool. */
  constructor(total: Resources, gpus: GpuPool = new GpuPool([])) {
    this.total = gpus.places > 0 ? { ...total, gpus: gpus.places } : total
    this.#free = this.total
    this.#gpus = gpus
  }

  get free(): Resources {
    return this.#free
  }

  /** Tasks that wait for room. */
  get waiting(): number {
    return this.#queue.length
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

  /** How many tasks with this need could start now if nobody else waited. */
  room(need: TaskNeed): number {
    const gpus = gpuNeedOf(need)
    const count = countFits(need, this.#free)
    return gpus === undefined ? count : Math.min(count, this.#gpus.room(gpus))
  }

  /** Share of the scarcest resource in use, 0 to 1. */
  get utilisation(): number {
    const used = (key: keyof Resources) => {
      const total = this.total[key] ?? 0
      return total === 0 ? 0 : 1 - (this.#free[key] ?? 0) / total
    }
    // more than all of it where something ran on that was not waited for
    return Math.min(
      1,
      Math.max(used('cpuMillis'), used('memoryBytes'), used('diskBytes'), used('gpus')),
    )
  }

  /** As {@link use} for what runs already, whether it fits or not, and has no GPU. */
  async occupy<T>(need: TaskNeed, work: () => Promise<T>): Promise<T> {
    this.#free = plus(this.#free, need, -1)
    return this.#spend(need, [], work)
  }

  /**
   * Runs `work` when `need` fits, with the GPUs that are its own meanwhile, and frees it afterwards. Rejects with the
   * signal's reason while waiting.
   */
  async use<T>(
    need: TaskNeed,
    signal: AbortSignal,
    work: (gpus: readonly GpuDevice[]) => Promise<T>,
  ): Promise<T> {
    return this.#spend(need, await this.#acquire(need, signal), work)
  }

  async #spend<T>(
    need: TaskNeed,
    gpus: readonly GpuDevice[],
    work: (gpus: readonly GpuDevice[]) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(gpus)
    } finally {
      this.#gpus.giveBack(gpus)
      this.#free = plus(this.#free, need)
      this.#startWaiting()
    }
  }

  async #acquire(need: TaskNeed, signal: AbortSignal): Promise<readonly GpuDevice[]> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        need,
        start: (gpus) => {
          signal.removeEventListener('abort', leave)
          this.#free = plus(this.#free, need, -1)
          resolve(gpus)
        },
      }
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1)
        reject(signal.reason as Error)
        this.#startWaiting()
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#queue.push(waiting)
      this.#startWaiting()
    })
  }

  #startWaiting(): void {
    let areGpusAwaited = false
    for (const waiting of this.#queue.slice()) {
      const wanted = gpuNeedOf(waiting.need)
      if (wanted !== undefined && (areGpusAwaited || this.#gpus.room(wanted) === 0)) {
        // nor does a smaller wish pass it, or a task for many GPUs would wait for ever
        areGpusAwaited = true
        continue
      }
      if (!fits(waiting.need, this.#free)) return
      this.#queue.splice(this.#queue.indexOf(waiting), 1)
      waiting.start(wanted === undefined ? [] : (this.#gpus.take(wanted) ?? []))
    }
  }
}
