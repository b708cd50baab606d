/** Moments of a ring, oldest first, and what was seen in each; null where nothing was. */
export interface RingRows {
  /** Unix ms of the beginning of each. */
  readonly at: readonly number[]
  /** One list for each column. */
  readonly columns: readonly (readonly (number | null)[])[]
}

/**
 * The last `capacity` stretches of `stepMs`, with the mean of what was seen in each. Of fixed size:
 * 10 bytes for each value and 8 for each stretch, whatever is added.
 */
export class Ring {
  readonly stepMs: number
  readonly #capacity: number
  readonly #width: number
  readonly #sums: Float64Array
  readonly #counts: Uint16Array
  /** Which stretch stands at each place, counted from 1970; -1 for none. */
  readonly #stretches: Float64Array

  constructor(stepMs: number, capacity: number, width: number) {
    this.stepMs = stepMs
    this.#capacity = capacity
    this.#width = width
    this.#sums = new Float64Array(capacity * width)
    this.#counts = new Uint16Array(capacity * width)
    this.#stretches = new Float64Array(capacity).fill(-1)
  }

  /** Adds what was seen `at`, Unix ms; NaN is not counted. What is older than the ring is dropped. */
  add(at: number, row: readonly number[]): void {
    const stretch = Math.floor(at / this.stepMs)
    const place = stretch % this.#capacity
    const held = this.#stretches[place] ?? -1
    if (held > stretch) return
    const from = place * this.#width
    if (held < stretch) {
      this.#stretches[place] = stretch
      this.#sums.fill(0, from, from + this.#width)
      this.#counts.fill(0, from, from + this.#width)
    }
    for (let column = 0; column < this.#width; column += 1) {
      const value = row[column] ?? NaN
      const count = this.#counts[from + column] ?? 0
      if (Number.isNaN(value) || count === MAX_COUNT) continue
      this.#sums[from + column] = (this.#sums[from + column] ?? 0) + value
      this.#counts[from + column] = count + 1
    }
  }

  /** The stretches that begin at `since` or later and are not older than the ring is long at `now`. */
  rows(since: number, now: number): RingRows {
    const newest = Math.floor(now / this.stepMs)
    const oldest = newest - this.#capacity + 1
    const places = [...this.#stretches.keys()]
      .map((place) => ({ place, stretch: this.#stretches[place] ?? -1 }))
      .filter(({ stretch }) => stretch >= Math.max(0, oldest) && stretch <= newest)
      .filter(({ stretch }) => stretch * this.stepMs >= since)
      .sort((a, b) => a.stretch - b.stretch)
    return {
      at: places.map(({ stretch }) => stretch * this.stepMs),
      columns: Array.from({ length: this.#width }, (_, column) =>
        places.map(({ place }) => this.#mean(place * this.#width + column)),
      ),
    }
  }

  #mean(at: number): number | null {
    const count = this.#counts[at] ?? 0
    return count === 0 ? null : (this.#sums[at] ?? 0) / count
  }
}

/** Of the counter; a stretch never sees so many. */
const MAX_COUNT = 65_535
