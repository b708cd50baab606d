import { standingOf, UNKNOWN_REPUTATION, type Reputation } from '../../domain/candidate.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address } from '../../domain/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import { ChainRecords, type ChainRecordsParts } from '../chain-records.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'

/** How long placing waits for what is still being asked, ms: it was asked when the bid came. */
export const REPUTATION_WAIT_MS = 200
/** Questions at a time, and waiting for their turn; beyond these a bidder stays unknown. */
const LANES = 8
const MAX_ASKING = 1024

/** What the contract remembers of bidders. Who is asked about cannot hold anything up: without an answer it is unknown. */
export class Reputations implements AsyncDisposable {
  readonly #clock: Clock
  readonly #records: ChainRecords
  readonly #asking = new Map<Address, Promise<unknown>>()
  readonly #lanes = new KeyedLock()
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()
  #asked = 0

  constructor(parts: ChainRecordsParts) {
    this.#clock = parts.clock
    this.#records = new ChainRecords(parts)
  }

  /** Has the chain asked about a bidder, unless its answer is known or on its way. */
  ask(provider: Address): void {
    if (!this.#records.isDue(provider) || this.#asking.has(provider)) return
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
    const first = providers.filter((each) => this.#records.known(each) === undefined)
    const waited = first.flatMap((each) => this.#asking.get(each) ?? [])
    if (waited.length > 0) await this.#within(REPUTATION_WAIT_MS, Promise.all(waited))
    return (provider) => this.#known(provider)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  #known(provider: Address): Reputation {
    const record = this.#records.known(provider)
    if (record === undefined) return UNKNOWN_REPUTATION
    return { faults: record.faults, standing: standingOf(record.feesPaid) }
  }

  async #read(provider: Address): Promise<void> {
    if (!this.#stop.signal.aborted) await this.#records.of(provider, this.#stop.signal)
    this.#asking.delete(provider)
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const done = new AbortController()
    const signal = AbortSignal.any([done.signal, this.#stop.signal])
    const late = this.#clock.sleep(ms, signal).catch(() => undefined) // it was not needed
    await Promise.race([work, late])
    done.abort()
    await late
  }
}
