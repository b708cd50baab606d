import { codeOf, HiveError } from '../domain/errors.ts'
import { minute } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import type { Earnings } from './provider/earnings.ts'
import type { ChannelLedger } from './requester/channel-ledger.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

/** What a node compares with the contract. */
export const DRIFT_KINDS = ['channel', 'earning'] as const
export type DriftKind = (typeof DRIFT_KINDS)[number]

/** Differences from the contract since the node started. */
export interface Drift {
  readonly found: number
  /** Of those, the ones that are in order again. */
  readonly mended: number
}

export interface ReconcilerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly escrow: Escrow
  readonly channels: ChannelLedger
  readonly earnings: Earnings | undefined
}

export interface ReconcilerOptions {
  /** How often everything is compared with the contract, ms. */
  readonly everyMs: number
}

export const RECONCILER_DEFAULTS: ReconcilerOptions = { everyMs: 1 * minute }

/**
 * Compares the node's channels with the contract, which is the truth about money, and acts on the difference: those it
 * pays through, and those it earns on.
 */
export class Reconciler implements AsyncDisposable {
  readonly #parts: ReconcilerParts
  readonly #options: ReconcilerOptions
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  readonly #found = new Map<DriftKind, number>()
  readonly #mended = new Map<DriftKind, number>()

  constructor(parts: ReconcilerParts, options: Partial<ReconcilerOptions> = {}) {
    this.#parts = parts
    this.#options = { ...RECONCILER_DEFAULTS, ...options }
  }

  /** Differences found since the node started. */
  get drift(): number {
    return [...this.#found.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The same by what differed. */
  driftOf(kind: DriftKind): Drift {
    return { found: this.#found.get(kind) ?? 0, mended: this.#mended.get(kind) ?? 0 }
  }

  start(): void {
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('reconciling stopped', { code: codeOf(error) }),
    )
  }

  /** One pass. Returns how many differences it found; what cannot be compared now is left to the next one. */
  async pass(signal: AbortSignal): Promise<number> {
    const { channels, earnings, logger } = this.#parts
    const before = this.drift
    for (const { id } of channels.all())
      await this.#compare('channel', async () => channels.reconcile(id, signal), signal)
    for (const earning of earnings?.all() ?? []) {
      const compare = async () => (await earnings?.reconcile(earning, signal)) === true
      await this.#compare('earning', compare, signal)
    }
    const found = this.drift - before
    if (found > 0) logger.warn('channels differed from the chain', { found })
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #compare(
    kind: DriftKind,
    work: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<void> {
    const count = (counts: Map<DriftKind, number>) => counts.set(kind, (counts.get(kind) ?? 0) + 1)
    try {
      if (!(await work())) return
      count(this.#found)
      count(this.#mended)
    } catch (error) {
      if (signal.aborted) throw error
      const code = codeOf(error)
      // An endpoint that is away is a pause, not a failure: the next pass asks again.
      if (code !== 'CHAIN_UNREACHABLE') count(this.#found)
      this.#parts.logger.warn('not compared with the chain', { kind, code })
    }
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.pass(signal).catch(() => undefined) // an abort ends the loop
      await this.#parts.clock.sleep(this.#options.everyMs, signal).catch(() => undefined) // as above
    }
  }
}
