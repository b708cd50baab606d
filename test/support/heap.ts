import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How often a watch looks, ms: each look collects all garbage. */
const LOOK_EVERY_MS = 200

/** Memory that is in use by objects and buffers of this thread once all garbage is collected, bytes. */
export function heapBytes(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** How much more memory than now is in use at the most, seen at intervals. */
export class HeapWatch {
  readonly #before = heapBytes()
  #most = this.#before
  #lookedAt = performance.now()

  /** Most bytes seen beyond those at the start. */
  get taken(): number {
    return this.#most - this.#before
  }

  /** To be called often. */
  look(): void {
    if (performance.now() - this.#lookedAt < LOOK_EVERY_MS) return
    this.#most = Math.max(this.#most, heapBytes())
    this.#lookedAt = performance.now()
  }
}
