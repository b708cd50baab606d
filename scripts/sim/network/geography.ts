import type { Randomness } from '../time/randomness.ts'

/** Least time that a message takes from one node to another, its handling included, ms. */
const LEAST_MS = 4
/** What it takes beyond that from one edge of the world to the other, ms. */
const ACROSS_MS = 140
/** Most that chance adds, ms. */
const JITTER_MS = 8

/** Where nodes are, and how long messages take between them. */
export class Geography {
  readonly #random: Randomness
  readonly #x: number[] = []
  readonly #y: number[] = []

  constructor(random: Randomness) {
    this.#random = random
  }

  /** Puts one more node somewhere; they count from 0. */
  settle(): void {
    this.#x.push(this.#random.fraction())
    this.#y.push(this.#random.fraction())
  }

  /** How long one message takes, ms. */
  latency(from: number, to: number): number {
    const x = (this.#x[from] ?? 0) - (this.#x[to] ?? 0)
    const y = (this.#y[from] ?? 0) - (this.#y[to] ?? 0)
    const jitter = this.#random.fraction() * JITTER_MS
    return LEAST_MS + ACROSS_MS * Math.sqrt((x * x + y * y) / 2) + jitter
  }

  /** Which half of the world a node is in; for partitions. */
  isEast(node: number): boolean {
    return (this.#x[node] ?? 0) >= 0.5
  }
}
