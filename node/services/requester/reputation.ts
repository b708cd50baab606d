import { standingOf, UNKNOWN_REPUTATION, type Reputation } from '../../domain/candidate.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address } from '../../domain/ids.ts'
import { minute, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Logger } from '../../ports/logger.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import { withinTime } from '../time-limit.ts'

/** How long an answer of the chain is good, ms: fees and lost cases change by the claim or by the day. */
export const REPUTATION_TTL_MS: number = 10 * minute
/** How long nobody is asked about again whom the chain did not answer about, ms. */
const RETRY_MS: number = 30 * second
/** How long the chain may take to answer, ms. */
const ANSWER_MS: number = 5 * second
/** How long placing waits for what is still being asked, ms: it was asked when the bid came. */
export const REPUTATION_WAIT_MS = 200
/** Providers remembered; keys are free, and the earliest go. */
export const MAX_REPUTATIONS = 4096
/** Questions at a time, and waiting for their turn; beyond these a bidder stays unknown. */
const LANES = 8
const MAX_ASKING = 1024

export interface ReputationsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly escrow: Pick<Escrow, 'record'>
}

interface Answer {
  /** Left out: the chain did not answer. */
  readonly reputation?: Reputation
  /** Unix ms. */
  readonly goodUntil: number
}

/** What the contract remembers of bidders. Who is asked about cannot hold anything up: without an answer it is unknown. */
export class Reputations implements AsyncDisposable {
  readonly #parts: ReputationsParts
  readonly #answers = new Map<Address, Answer>()
  readonly #asking = new Map<Address, Promise<void>>()
  readonly #lanes = new KeyedLock()
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #asked = 0

  constructor(parts: ReputationsParts) {
    this.#parts = parts
  }

  /** Has the chain asked about a bidder, unless its answer is known or on its way. */
  ask(provider: Address): void {
    const { goodUntil = 0 } = this.#answers.get(provider) ?? {}
    if (this.#parts.clock.now() < goodUntil || this.#asking.has(provider)) return
    if (this.#asking.size >= MAX_ASKING || this.#stop.signal.aborted) return
    const lane = String(this.#asked++ % LANES)
    const asking = this.#lanes.run(lane, async () => this.#read(provider))
    this.#asking.set(provider, asking)
    this.#work.start(
      async () => asking,
      () => undefined, // never rejects
    )
  }

  /**
   * What is known of these, and nothing held against the others. Waits for first answers that are on their way, no longer
   * than {@link REPUTATION_WAIT_MS}; an older answer is good enough while it is asked again.
   */
  async of(providers: readonly Address[]): Promise<(provider: Address) => Reputation> {
    for (const each of providers) this.ask(each)
    const first = providers.filter((each) => !this.#answers.has(each))
    const waited = first.flatMap((each) => this.#asking.get(each) ?? [])
    if (waited.length > 0) await this.#within(REPUTATION_WAIT_MS, Promise.all(waited))
    return (provider) => this.#answers.get(provider)?.reputation ?? UNKNOWN_REPUTATION
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  async #read(provider: Address): Promise<void> {
    const { clock, escrow, logger } = this.#parts
    const before = this.#answers.get(provider)
    const limit = { ms: ANSWER_MS, code: 'CHAIN_UNREACHABLE', signal: this.#stop.signal } as const
    try {
      limit.signal.throwIfAborted()
      const { faults, feesPaid } = await withinTime(clock, limit, async (signal) =>
        escrow.record(provider, { signal }),
      )
      const reputation = { faults, standing: standingOf(feesPaid) }
      this.#keep(provider, { reputation, goodUntil: clock.now() + REPUTATION_TTL_MS })
    } catch (error) {
      if (this.#stop.signal.aborted) return
      logger.debug('reputation not known', { provider, code: codeOf(error) })
      this.#keep(provider, { ...before, goodUntil: clock.now() + RETRY_MS })
    } finally {
      this.#asking.delete(provider)
    }
  }

  #keep(provider: Address, answer: Answer): void {
    this.#answers.delete(provider)
    this.#answers.set(provider, answer)
    for (const earliest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_REPUTATIONS) break
      this.#answers.delete(earliest)
    }
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const done = new AbortController()
    const signal = AbortSignal.any([done.signal, this.#stop.signal])
    const late = this.#parts.clock.sleep(ms, signal).catch(() => undefined) // it was not needed
    await Promise.race([work, late])
    done.abort()
    await late
  }
}
