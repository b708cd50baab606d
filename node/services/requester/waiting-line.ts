import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'

/** Who waits. */
export interface WaitingJob {
  /** The higher one goes first. */
  readonly priority: number
  /** Unix ms; among equals the one that waits longer goes first. */
  readonly since: number
}

/** Leave to offer tasks; to be disposed when they are dealt out or nobody took them. */
export type Turn = Disposable

interface Waiter extends WaitingJob {
  readonly grant: (turn: Turn) => void
}

/** Shortest pause between two passes, ms: a thousand shares that end are no reason for a thousand offers. */
const LEAST_PAUSE_MS: number = 1 * second
/** Pauses between passes while nothing of this node's own ends, ms; the last one repeats. */
const PAUSES_MS = [LEAST_PAUSE_MS, 2 * second, 5 * second, 15 * second] as const
const FREE: Turn = { [Symbol.dispose]: () => {} }

/**
 * Tasks of this node's jobs that found no place: they are offered again one job after the other, the highest
 * priority first, whenever something of this node's own has ended, and at intervals.
 */
export class WaitingLine implements AsyncDisposable {
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  readonly #waiting = new Set<Waiter>()
  #wake = new AbortController()
  #isServing = false
  #isPassing = false

  constructor(parts: { readonly clock: Clock }) {
    this.#clock = parts.clock
  }

  /**
   * For tasks that are offered for the first time: at once, unless a job of higher priority waits, or one of the same
   * that was there before and may find a place now. Who was refused since anything came free holds nobody up: it may
   * want what nobody has.
   */
  async first(job: WaitingJob, signal: AbortSignal): Promise<Turn> {
    const mayPass = ({ priority, since }: WaitingJob) =>
      priority < job.priority ||
      (priority === job.priority && (!this.#isTheirTurn || since > job.since))
    if ([...this.#waiting].every(mayPass)) return FREE
    const turn = this.again(job, signal)
    this.wake()
    return turn
  }

  /** For tasks that found no place: in the next pass. Throws the signal's reason. */
  async again(job: WaitingJob, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Turn>()
    const waiter = { ...job, grant: resolve }
    // At once, so that a turn is never given to somebody who has left.
    const onAbort = () => {
      this.#waiting.delete(waiter)
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.add(waiter)
    if (!this.#isServing) {
      this.#isServing = true
      this.#work.start(
        async () => this.#passes(),
        () => undefined, // only the abort of the disposal ends it early
      )
    }
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** A provider's slot or part of the deposit may have come free. */
  wake(): void {
    this.#wake.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  /** Whether those who wait are about to be asked, since something came free or it is time. */
  get #isTheirTurn(): boolean {
    return this.#isPassing || this.#wake.signal.aborted
  }

  async #passes(): Promise<void> {
    for (let quiet = 0; this.#waiting.size > 0; quiet++) {
      if (await this.#pause(PAUSES_MS[Math.min(quiet, PAUSES_MS.length - 1)] ?? LEAST_PAUSE_MS))
        quiet = 0
      this.#isPassing = true
      const due = [...this.#waiting].sort((a, b) => b.priority - a.priority || a.since - b.since)
      for (const waiter of due) if (this.#waiting.has(waiter)) await this.#turnOf(waiter)
      this.#isPassing = false
    }
    this.#isServing = false
  }

  /** True when it was woken. */
  async #pause(ms: number): Promise<boolean> {
    await this.#clock.sleep(LEAST_PAUSE_MS, this.#stop.signal)
    const { signal } = this.#wake
    const rest = AbortSignal.any([this.#stop.signal, signal])
    if (!signal.aborted) await this.#clock.sleep(ms - LEAST_PAUSE_MS, rest).catch(() => undefined) // woken, or stopped
    this.#stop.signal.throwIfAborted()
    this.#wake = new AbortController()
    return signal.aborted
  }

  async #turnOf(waiter: Waiter): Promise<void> {
    this.#waiting.delete(waiter)
    const { promise, resolve } = Promise.withResolvers<void>()
    waiter.grant({ [Symbol.dispose]: resolve })
    await promise
  }
}
