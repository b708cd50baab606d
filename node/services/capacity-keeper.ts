import { isFresh, type Score } from '../domain/capacity.ts'
import { codeOf, HiveError } from '../domain/errors.ts'
import { hour, minute } from '../domain/units.ts'
import type { Benchmark } from '../ports/benchmark.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Store } from '../ports/store.ts'
import { Table } from './table.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

export interface CapacityKeeperParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly benchmark: Benchmark
  /** Whether no task runs or waits here. */
  readonly isIdle: () => boolean
  /** Called with every score that counts from now on. */
  readonly onScore: (score: Score) => void
}

export interface CapacityKeeperOptions {
  readonly cores: number
  /** Whether to measure unasked: a node that only requests is of no use to others. */
  readonly unasked: boolean
}

/** How long the node is up and idle before it measures unasked, ms: a start is never held up. */
export const SETTLED_MS: number = 1 * minute
/** How long after a failure it is tried again, ms. */
const RETRY_MS: number = 1 * hour

/** Knows what the machine can do: measured once a week while nothing runs, and whenever asked. */
export class CapacityKeeper implements AsyncDisposable {
  readonly #parts: CapacityKeeperParts
  readonly #options: CapacityKeeperOptions
  readonly #table: Table<Score>
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #measuring = false
  #score: Score | undefined

  constructor(parts: CapacityKeeperParts, options: CapacityKeeperOptions) {
    this.#parts = parts
    this.#options = options
    this.#table = new Table(parts.store, 'capacity/')
  }

  /** What counts now. */
  get score(): Score | undefined {
    return this.#score
  }

  /** Whether a measurement is under way, so that no other is begun. */
  get measuring(): boolean {
    return this.#measuring
  }

  /** Takes up the kept score, if it is still the machine's, and measures when there is time for it. */
  async start(): Promise<void> {
    const kept = await this.#table.get('own')
    if (kept !== undefined && isFresh(kept, this.#options.cores, this.#parts.clock.now()))
      this.#tell(kept)
    if (!this.#options.unasked) return
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('measuring stopped', { code: codeOf(error) }),
    )
  }

  /** Measures now. Throws BENCHMARK_BUSY while the machine is in use, BENCHMARK_FAILED, or the signal's reason. */
  async measure(signal: AbortSignal): Promise<Score> {
    const { benchmark, isIdle } = this.#parts
    if (this.#measuring || !isIdle()) throw new HiveError('BENCHMARK_BUSY')
    this.#measuring = true
    try {
      const either = AbortSignal.any([signal, this.#stop.signal])
      const score = await benchmark.measure({ signal: either })
      // A task that came meanwhile had its part of the machine.
      if (!isIdle()) throw new HiveError('BENCHMARK_BUSY')
      await this.#table.put('own', score)
      this.#tell(score)
      return score
    } finally {
      this.#measuring = false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #loop(): Promise<void> {
    const { clock, isIdle, logger } = this.#parts
    const { signal } = this.#stop
    let restMs = SETTLED_MS
    while (!signal.aborted) {
      await clock.sleep(restMs, signal).catch(() => undefined) // an abort ends the loop
      restMs = SETTLED_MS
      const known = this.#score
      const fresh = known !== undefined && isFresh(known, this.#options.cores, clock.now())
      if (signal.aborted || fresh || !isIdle()) continue
      try {
        await this.measure(signal)
      } catch (error) {
        if (signal.aborted) return
        const code = codeOf(error)
        if (code === 'BENCHMARK_BUSY') continue
        logger.warn('the machine could not be measured', { code })
        restMs = RETRY_MS
      }
    }
  }

  #tell(score: Score): void {
    this.#score = score
    this.#parts.onScore(score)
  }
}
