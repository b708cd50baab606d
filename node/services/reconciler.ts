import type { ErrorCode } from '../domain/error-codes.ts'
import { codeOf, HiveError } from '../domain/errors.ts'
import { minute } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import type { Adoption } from './adoption.ts'
import { DriftCounts, isNoAnswer, type Drift, type DriftKind } from './drift.ts'
import type { Earnings } from './provider/earnings.ts'
import type { Provider } from './provider/provider.ts'
import type { ChannelLedger } from './requester/channel-ledger.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

export interface ReconcilerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly escrow: Escrow
  readonly channels: ChannelLedger
  readonly earnings: Earnings | undefined
  /** Whose shares end with their channels; left out: nobody's. */
  readonly provider?: Pick<Provider, 'endUnpayable'> | undefined
  /** Finds channels that no record tells of; left out: none are looked for. */
  readonly adoption?: Adoption
  /** Where differences are counted, together with those that others find. @default its own */
  readonly counts?: DriftCounts
}

export interface ReconcilerOptions {
  /** How often everything is compared with the contract, ms. */
  readonly everyMs: number
}

export const RECONCILER_DEFAULTS: ReconcilerOptions = { everyMs: 1 * minute }

/**
 * Compares the node's channels and jobs with the contract, which is the truth about money, and acts on the difference:
 * channels it pays through, those it earns on, those it does not know, and what it works on for channels that are gone.
 */
export class Reconciler implements AsyncDisposable {
  readonly #parts: ReconcilerParts
  readonly #options: ReconcilerOptions
  readonly #counts: DriftCounts
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #chainFault: ErrorCode | undefined

  constructor(parts: ReconcilerParts, options: Partial<ReconcilerOptions> = {}) {
    this.#parts = parts
    this.#options = { ...RECONCILER_DEFAULTS, ...options }
    this.#counts = parts.counts ?? new DriftCounts()
  }

  /** Differences found since the node started. */
  get drift(): number {
    return this.#counts.total
  }

  /** The same by what differed. */
  driftOf(kind: DriftKind): Drift {
    return this.#counts.of(kind)
  }

  /** Why the chain gave no answer when it was last asked; `undefined` while it does. */
  get chainFault(): ErrorCode | undefined {
    return this.#chainFault
  }

  start(): void {
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('reconciling stopped', { code: codeOf(error) }),
    )
  }

  /** One pass. Returns how many differences it found; what cannot be compared now is left to the next one. */
  async pass(signal: AbortSignal): Promise<number> {
    const { channels, earnings, adoption, logger } = this.#parts
    const before = this.drift
    // One question without an answer is enough: each could take as long as a hanging endpoint lets it.
    if (!(await this.#chainAnswers(signal))) return 0
    for (const { id } of channels.every())
      await this.#counting('channel', async () => channels.reconcile(id, signal), signal)
    for (const earning of earnings?.all() ?? []) {
      const compare = async () => (await earnings?.reconcile(earning, signal)) === true
      await this.#counting('earning', compare, signal)
    }
    await this.#compare('openings', async () => adoption?.pass(this.#counts, signal), signal)
    await this.#compare('job', async () => this.#endUnpayable(), signal)
    const found = this.drift - before
    if (found > 0) logger.warn('differed from the chain', { found })
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #chainAnswers(signal: AbortSignal): Promise<boolean> {
    const { escrow, logger } = this.#parts
    try {
      await escrow.newestBlock({ signal })
      this.#chainFault = undefined
    } catch (error) {
      if (signal.aborted) throw error
      this.#chainFault = codeOf(error)
      logger.warn('the chain gives no answer', { code: this.#chainFault })
    }
    return this.#chainFault === undefined
  }

  async #endUnpayable(): Promise<void> {
    const ended = (await this.#parts.provider?.endUnpayable()) ?? 0
    if (ended > 0) this.#parts.logger.warn('shares ended with their channels', { shares: ended })
    this.#counts.mended('job', ended)
  }

  async #counting(
    kind: DriftKind,
    work: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#compare(
      kind,
      async () => void (await this.#counts.during(kind, work, signal)),
      signal,
    )
  }

  /** What fails is logged and left to the next pass: an endpoint that is away is a pause, not a failure. */
  async #compare(kind: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (signal.aborted) throw error
      const code = codeOf(error)
      if (isNoAnswer(code)) this.#chainFault = code
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
