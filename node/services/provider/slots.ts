import { fits, plus, type Resources } from '../../domain/resources.ts'

interface Waiting {
  readonly need: Resources
  readonly start: () => void
}

/** The machine's resources, handed out first come first served. */
export class Slots {
  readonly total: Resources
  #free: Resources
  readonly #queue: Waiting[] = []

  constructor(total: Resources) {
    this.total = total
    this.#free = total
  }

  get free(): Resources {
    return this.#free
  }

  /** Tasks that wait for room. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Share of the scarcest resource in use, 0 to 1. */
  get utilisation(): number {
    const used = (key: keyof Resources) => {
      const total = this.total[key] ?? 0
      return total === 0 ? 0 : 1 - (this.#free[key] ?? 0) / total
    }
    return Math.max(used('cpuMillis'), used('memoryBytes'), used('diskBytes'), used('gpus'))
  }

  /** Runs `work` when `need` fits, and frees it afterwards. Rejects with the signal's reason while waiting. */
  async use<T>(need: Resources, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#acquire(need, signal)
    try {
      return await work()
    } finally {
      this.#free = plus(this.#free, need)
      this.#startWaiting()
    }
  }

  async #acquire(need: Resources, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        need,
        start: () => {
          signal.removeEventListener('abort', leave)
          this.#free = plus(this.#free, need, -1)
          resolve()
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
    for (
      let next = this.#queue[0];
      next !== undefined && fits(next.need, this.#free);
      next = this.#queue[0]
    ) {
      this.#queue.shift()
      next.start()
    }
  }
}
