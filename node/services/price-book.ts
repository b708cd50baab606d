import { codeOf, HiveError } from '../domain/errors.ts'
import type { Amount } from '../domain/money.ts'
import type { OfferAsk } from '../domain/offer-ask.ts'
import type { UseTerms } from '../domain/paid-use.ts'
import {
  hourOf,
  tallied,
  unitPrice,
  type PriceHour,
  type PriceSource,
} from '../domain/price-history.ts'
import { day, hour, minute } from '../domain/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Store, StoreChange } from '../ports/store.ts'
import { Table } from './table.ts'
import { TasksInFlight } from './tasks-in-flight.ts'

export interface PriceBookParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
}

/** Takes prices as they are seen. */
export type PriceNotes = Pick<PriceBook, 'note'>

/** What of an offer says which prices its own compares to. */
export type PricedAsk = UseTerms & Pick<OfferAsk, 'class' | 'gpus' | 'payEveryMs'>

/** How long hours are kept, ms. */
export const KEPT_MS: number = 30 * day
/** How often what was seen goes to disk, ms: a crash loses a minute of a statistic. */
const WRITE_EVERY_MS: number = 1 * minute
/** Classes of one hour: strangers name them. */
export const MAX_CLASSES = 64

/** Remembers what computing cost, by class and hour: what this node heard, asked and agreed on. */
export class PriceBook implements AsyncDisposable {
  readonly #parts: PriceBookParts
  readonly #table: Table<PriceHour>
  readonly #hours = new Map<string, PriceHour>()
  readonly #unwritten = new Set<string>()
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()

  constructor(parts: PriceBookParts) {
    this.#parts = parts
    this.#table = new Table(parts.store, 'price/')
  }

  /** Takes up what is on record, and writes what is seen until disposed. */
  async start(): Promise<void> {
    for await (const each of this.#table.all()) this.#hours.set(keyOf(each), each)
    this.#work.start(
      async () => this.#keepWritten(),
      (error) => this.#parts.logger.error('price history stopped', { code: codeOf(error) }),
    )
  }

  /** Counts a price of one task, or of one second of a metered one. */
  note(source: PriceSource, ask: PricedAsk, price: Amount): void {
    const at = hourOf(this.#parts.clock.now())
    const fresh: PriceHour = { class: ask.class, ofGpus: ask.gpus > 0, at, tallies: {} }
    const key = keyOf(fresh)
    const known = this.#hours.get(key)
    if (known === undefined && this.#classesAt(at) >= MAX_CLASSES) return
    const { tallies, ...rest } = known ?? fresh
    const tally = tallied(tallies[source], unitPrice(price, ask))
    this.#hours.set(key, { ...rest, tallies: { ...tallies, [source]: tally } })
    this.#unwritten.add(key)
  }

  /** The hours that began at `since` (Unix ms) or later, the oldest first; of one class, or of all. */
  history(since: number, name?: string): readonly PriceHour[] {
    return [...this.#hours.values()]
      .filter((each) => each.at >= since && (name === undefined || each.class === name))
      .sort((a, b) => a.at - b.at || (keyOf(a) < keyOf(b) ? -1 : 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
    await this.#write()
  }

  #classesAt(at: number): number {
    return [...this.#hours.values()].filter((each) => each.at === at).length
  }

  async #keepWritten(): Promise<void> {
    const { clock, logger } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      await clock.sleep(WRITE_EVERY_MS, signal).catch(() => undefined) // an abort ends the loop
      if (signal.aborted) return
      // a disk that is full now may have room in a minute: nothing was taken off the list
      await this.#write().catch((error: unknown) =>
        logger.warn('prices could not be written', { code: codeOf(error) }),
      )
    }
  }

  async #write(): Promise<void> {
    const oldest = hourOf(this.#parts.clock.now()) - KEPT_MS
    const changes: StoreChange[] = []
    for (const [key, each] of this.#hours)
      if (each.at < oldest) {
        this.#hours.delete(key)
        this.#unwritten.delete(key)
        changes.push(this.#table.removal(key))
      }
    const written = new Map(
      [...this.#unwritten].flatMap((key) => {
        const each = this.#hours.get(key)
        return each === undefined ? [] : [[key, each] as const]
      }),
    )
    for (const [key, each] of written) changes.push(this.#table.change(key, each))
    if (changes.length === 0) return
    await this.#parts.store.write(changes)
    for (const [key, each] of written)
      if (this.#hours.get(key) === each) this.#unwritten.delete(key)
  }
}

/** In the order of time. */
function keyOf({ at, class: name, ofGpus }: Pick<PriceHour, 'at' | 'class' | 'ofGpus'>): string {
  return `${String(Math.floor(at / hour)).padStart(8, '0')}/${ofGpus ? 'gpu' : 'core'}/${name}`
}
