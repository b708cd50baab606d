import { freemem } from 'node:os'
import type { Logger } from '../../ports/logger.ts'
import { MiB, minute } from '../../domain/units.ts'

/** What kept things are alike in. */
export interface StockKind {
  /** Equal for what can stand in for one another. */
  readonly key: string
  readonly imageId: string
}

/** Something made beforehand; disposal removes it. */
export interface Stocked extends AsyncDisposable {
  /** Whether it can still be used. */
  readonly isAlive: boolean
}

export interface WarmStockOptions {
  /** Most that are kept, all kinds together. */
  readonly most: number
  /** @default WARM_STOCK_DEFAULTS.mostOfKind */
  readonly mostOfKind?: number
  /** @default WARM_STOCK_DEFAULTS.usesForOne */
  readonly usesForOne?: number
  /** @default WARM_STOCK_DEFAULTS.latelyMs */
  readonly latelyMs?: number
  /** @default WARM_STOCK_DEFAULTS.restockMs */
  readonly restockMs?: number
  /** @default WARM_STOCK_DEFAULTS.leastFreeBytes */
  readonly leastFreeBytes?: number
}

export const WARM_STOCK_DEFAULTS = {
  /** Making one takes some 300 ms: more than a few only help bursts that soon outrun any number. */
  mostOfKind: 3,
  /** Uses lately that are worth one more; the second use shows that a kind comes back at all. */
  usesForOne: 2,
  /** What counts as lately: as long as container platforms usually keep an idle instance, ms. */
  latelyMs: 5 * minute,
  /** How long after a use the next is made, ms: whoever just took one has the machine to itself to begin. */
  restockMs: 50,
  /** None is made when the machine has less to spare: jobs that run need it more. */
  leastFreeBytes: 512 * MiB,
} as const

interface Shelf<K, T> {
  kind: K
  readonly ready: T[]
  uses: number[]
  /** Making one failed: not tried again until the kind is forgotten. */
  isHopeless: boolean
}

/** Keeps things ready of the kinds that were used several times lately, makes one at a time, and forgets idle kinds. */
export class WarmStock<K extends StockKind, T extends Stocked> implements AsyncDisposable {
  readonly #make: (kind: K) => Promise<T>
  readonly #logger: Logger
  readonly #options: Required<WarmStockOptions>
  /** Least recently used first. */
  readonly #shelves = new Map<string, Shelf<K, T>>()
  readonly #removals = new Set<Promise<void>>()
  #making: Promise<void> | undefined
  #wake: NodeJS.Timeout | undefined
  #wakesAt = Infinity
  #isClosed = false

  constructor(
    parts: { readonly make: (kind: K) => Promise<T>; readonly logger: Logger },
    options: WarmStockOptions,
  ) {
    this.#make = parts.make
    this.#logger = parts.logger
    this.#options = { ...WARM_STOCK_DEFAULTS, ...options }
  }

  /** Counts a use of the kind, and gives a ready one for it if there is: the caller's to dispose. */
  take(kind: K): T | undefined {
    if (this.#isClosed) return undefined
    const shelf = this.#shelves.get(kind.key) ?? { kind, ready: [], uses: [], isHopeless: false }
    this.#shelves.delete(kind.key)
    this.#shelves.set(kind.key, shelf)
    const { usesForOne, mostOfKind } = this.#options
    shelf.uses = [...shelf.uses.slice(1 - usesForOne * mostOfKind), performance.now()]
    let taken = shelf.ready.shift()
    while (taken !== undefined && !taken.isAlive) {
      this.#remove(taken)
      taken = shelf.ready.shift()
    }
    this.#wakeIn(this.#options.restockMs)
    return taken
  }

  /** Removes what was made of an image that is being given up. */
  async forgetImage(imageId: string): Promise<void> {
    for (const [key, { kind }] of this.#shelves) if (kind.imageId === imageId) this.#forget(key)
    await Promise.all(this.#removals)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#wake)
    await this.#making
    for (const key of this.#shelves.keys()) this.#forget(key)
    await Promise.all(this.#removals)
  }

  /** Looks whether one should be made, and begins to. */
  #restock(): void {
    if (this.#isClosed || this.#making !== undefined) return
    this.#expire()
    if (freemem() < this.#options.leastFreeBytes) return
    const latestFirst = [...this.#shelves.values()].reverse()
    const shelf = latestFirst.find((each) => this.#isShort(each) && this.#makeRoom(each))
    if (shelf === undefined) return
    this.#making = this.#fill(shelf).finally(() => {
      this.#making = undefined
      this.#restock()
    })
  }

  #isShort({ ready, uses, isHopeless }: Shelf<K, T>): boolean {
    const { usesForOne, mostOfKind } = this.#options
    const wanted = Math.min(Math.floor(uses.length / usesForOne), mostOfKind)
    return !isHopeless && ready.length < wanted
  }

  /** Whether one more may be kept; for the first of its kind, one of a kind used less lately is given up. */
  #makeRoom(shelf: Shelf<K, T>): boolean {
    const all = [...this.#shelves.values()]
    const kept = all.reduce((sum, { ready }) => sum + ready.length, 0)
    if (kept < this.#options.most) return true
    if (shelf.ready.length > 0) return false
    const older = all.slice(0, all.indexOf(shelf))
    const given = older.find(({ ready }) => ready.length > 0)?.ready.pop()
    if (given !== undefined) this.#remove(given)
    return given !== undefined
  }

  async #fill(shelf: Shelf<K, T>): Promise<void> {
    try {
      const made = await this.#make(shelf.kind)
      const isWanted = !this.#isClosed && this.#shelves.get(shelf.kind.key) === shelf
      if (!isWanted) return this.#remove(made)
      shelf.ready.push(made)
      this.#logger.debug('a container was made beforehand', { kind: shelf.kind.key })
    } catch (error) {
      shelf.isHopeless = true
      this.#logger.warn('no container could be made beforehand', {
        kind: shelf.kind.key,
        said: String(error),
      })
    }
  }

  /** Forgets what was not used lately, and looks again when the next may be due. */
  #expire(): void {
    const since = performance.now() - this.#options.latelyMs
    for (const [key, shelf] of this.#shelves) {
      shelf.uses = shelf.uses.filter((at) => at > since)
      if (shelf.uses.length === 0) this.#forget(key)
    }
    const [oldest] = this.#shelves.values()
    const last = oldest?.uses.at(-1)
    if (last !== undefined) this.#wakeIn(Math.ceil(last - since) + 1)
  }

  #wakeIn(ms: number): void {
    const at = performance.now() + ms
    if (at >= this.#wakesAt) return
    clearTimeout(this.#wake)
    this.#wakesAt = at
    this.#wake = setTimeout(() => {
      this.#wakesAt = Infinity
      this.#restock()
    }, ms)
    this.#wake.unref()
  }

  #forget(key: string): void {
    for (const each of this.#shelves.get(key)?.ready ?? []) this.#remove(each)
    this.#shelves.delete(key)
  }

  #remove(one: T): void {
    const removal = (async () => {
      try {
        await one[Symbol.asyncDispose]()
      } catch (error) {
        // the next opening of this sandbox removes what is left
        this.#logger.debug('a container made beforehand stays', { said: String(error) })
      }
    })()
    this.#removals.add(removal)
    void removal.then(() => this.#removals.delete(removal))
  }
}
