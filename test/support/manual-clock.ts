import type { Clock } from '../../node/ports/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #now: number
  readonly #sleepers = new Set<Sleeper>()

  /** Starts at `now`, Unix ms. */
  constructor(now = 1_800_000_000_000) {
    this.#now = now
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  now(): number {
    return this.#now
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { at: this.#now + Math.max(0, ms), wake: resolve }
    const onAbort = (): void => reject(signal.reason)
    this.#sleepers.add(sleeper)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      this.#sleepers.delete(sleeper)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Moves time on by `ms`. Sleepers wake in order of their time, each seeing it as `now()`, and what
   * they start next is let run first, so a sleep begun by one that woke counts too.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#sleepers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await settle()
    }
    this.#now = end
  }

  #next(end: number): Sleeper | undefined {
    const due = [...this.#sleepers].filter(({ at }) => at <= end)
    return due.sort((a, b) => a.at - b.at)[0]
  }
}

/** Lets promises and already finished I/O call back; several turns, as chains of them are common. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}
