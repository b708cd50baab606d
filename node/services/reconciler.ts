import { codeOf, HiveError } from '../domain/errors.ts'
import { minute } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import type { Earnings } from './provider/earnings.ts'
import type { ChannelLedger } from './requester/channel-ledger.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

export interface ReconcilerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly escrow: Escrow
  readonly channels: ChannelLedger
  readonly earnings: Earnings | undefined
}

/** How often all channels are compared with the contract, ms. */
const INTERVAL_MS: number = 1 * minute

/** Compares the node's channels with the contract, which is the truth about money, and acts on the difference. */
export class Reconciler implements AsyncDisposable {
  readonly #parts: ReconcilerParts
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #drift = 0

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
  }

  /** Differences found since the node started. */
  get drift(): number {
    return this.#drift
  }

  start(): void {
    this.#work.start(
      async () => this.#loop(),
      (error) => this.#parts.logger.error('reconciling stopped', { code: codeOf(error) }),
    )
  }

  /** One pass. Returns how many differences it found. */
  async pass(signal: AbortSignal): Promise<number> {
    const { channels, earnings, logger } = this.#parts
    let found = 0
    for (const mine of channels.all()) {
      if (await channels.reconcile(mine.id, signal)) found++
    }
    for (const earning of earnings?.all() ?? []) {
      if ((await earnings?.reconcile(earning, signal)) === true) found++
    }
    if (found > 0) logger.warn('channels differed from the chain', { found })
    this.#drift += found
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.pass(signal).catch((error: unknown) => {
        // An endpoint that is away is a pause, not a failure: the next pass asks again.
        this.#parts.logger.warn('channels could not be compared', { code: codeOf(error) })
      })
      await this.#parts.clock.sleep(INTERVAL_MS, signal).catch(() => undefined) // an abort ends the loop
    }
  }
}
