import type { TaskUse } from '../../../domain/machine-sample.ts'
import type { GuestResult, ToWorker } from './messages.ts'
import { Slot, type PassOn } from './slot.ts'

/** One task for the pool. */
export interface PoolJob {
  readonly id: number
  readonly message: ToWorker
  readonly onOutput: PassOn
  readonly onEnd: (result: GuestResult) => void
}

/** What a pool tells of itself. */
export interface PoolHooks {
  /** Every thread can take tasks; called once. */
  readonly onReady: () => void
  /** A thread does not start, or does not end `KILL_PATIENCE_MS` after it was killed. */
  readonly onBroken: () => void
}

/** How long a killed thread may go on (only the compiler keeps one), ms. */
const KILL_PATIENCE_MS = 10_000

/** A fixed number of threads; tasks wait in order for a free one, and that wait is not their time. */
export class Pool {
  readonly #slots: (Slot | undefined)[]
  readonly #waiting: PoolJob[] = []
  readonly #running = new Map<number, Slot>()
  readonly #hooks: PoolHooks
  #starting: number
  #closed = false

  constructor(size: number, hooks: PoolHooks) {
    this.#hooks = hooks
    this.#starting = size
    this.#slots = Array.from({ length: size }, () => undefined)
    for (const at of this.#slots.keys()) this.#fill(at)
  }

  run(job: PoolJob): void {
    this.#waiting.push(job)
    this.#next()
  }

  /** Ends the task `id`, running or waiting; resolves when it is answered. */
  async cancel(id: number): Promise<void> {
    const at = this.#waiting.findIndex((job) => job.id === id)
    const [job] = at === -1 ? [] : this.#waiting.splice(at, 1)
    if (job === undefined) await this.#running.get(id)?.end('killed', 'cancelled')
    else job.onEnd(NEVER_STARTED)
  }

  /** What the task `id` has used so far; `undefined` unless it runs. */
  async usage(id: number): Promise<TaskUse | undefined> {
    return this.#running.get(id)?.usage()
  }

  /** Ends every thread. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#slots.map(async (slot) => slot?.close()))
  }

  #fill(at: number): void {
    const slot = new Slot(() => {
      this.#next()
      if (--this.#starting === 0) this.#hooks.onReady()
    })
    this.#slots[at] = slot
    void slot.gone.then(() => {
      if (slot.started) this.#replace(at, slot)
      else this.#hooks.onBroken()
    })
  }

  // A killed thread's place is taken at once; the thread itself may need longer to end.
  #replace(at: number, slot: Slot): void {
    if (this.#closed || this.#slots[at] !== slot) return
    this.#fill(at)
    const timer = setTimeout(this.#hooks.onBroken, KILL_PATIENCE_MS)
    void slot.gone.then(() => {
      clearTimeout(timer)
    })
  }

  #next(): void {
    for (const [at, slot] of this.#slots.entries()) {
      if (slot === undefined || !slot.free) continue
      const job = this.#waiting.shift()
      if (job === undefined) return
      this.#running.set(job.id, slot)
      slot.start(job.message, job.onOutput, (result) => {
        this.#running.delete(job.id)
        job.onEnd(result)
        if (slot.dead) this.#replace(at, slot)
        this.#next()
      })
    }
  }
}

const NEVER_STARTED: GuestResult = {
  reason: 'killed',
  exitCode: -1,
  detail: 'cancelled before it started',
  files: [],
  wallMs: 0,
  cpuMs: 0,
  peakMemoryBytes: 0,
}
