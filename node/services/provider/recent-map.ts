export interface RecentMapOptions {
  /** How long a thing is kept at least, unless there is no room, ms. Twice as long at most while things are added. */
  readonly keepMs: number
  /** Most things kept. The later half of them is never forgotten for want of room. */
  readonly max: number
}

/**
 * Keeps what was set of late and forgets the rest, in constant time whatever comes. A thing may
 * still be there after its time: whether it is still good is for the caller to say.
 */
export class RecentMap<K, V> {
  readonly #options: RecentMapOptions
  // Two generations: the older goes as a whole, so that nothing ever looks for what has expired.
  #older = new Map<K, V>()
  #younger = new Map<K, V>()
  #since = -Infinity

  constructor(options: RecentMapOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#older.size + this.#younger.size
  }

  get(key: K): V | undefined {
    return this.#younger.get(key) ?? this.#older.get(key)
  }

  /** Sets a thing at `now`, Unix ms; it counts as the most recent. */
  set(key: K, value: V, now: number): void {
    const { keepMs, max } = this.#options
    if (now - this.#since >= keepMs || this.#younger.size + 1 > max / 2) {
      this.#older = this.#younger
      this.#younger = new Map()
      this.#since = now
    }
    this.#older.delete(key)
    this.#younger.set(key, value)
  }
}
