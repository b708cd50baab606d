import { ZERO_BYTES32, type Bytes32 } from '../../domain/ids.ts'
import { chained } from '../../protocol/output-chain.ts'

/** How far a share's events were heard, across lost connections and restarts of its provider. */
export class Heard {
  /** Unix ms of the last word. */
  at: number
  /** The provider's life, and the number of its next event. */
  life = 0
  next = 0
  /** Hash chain over the output told in this life. */
  digest: Bytes32 = ZERO_BYTES32
  /** Unix ms of the last sign that a metered share runs; absent while none is due. */
  pulseAt: number | undefined
  /** Bytes of each stream that were passed on, and that this life of the provider has told. */
  readonly #passed = new Map<string, number>()
  readonly #told = new Map<string, number>()

  constructor(at: number) {
    this.at = at
  }

  /** The provider tells everything again, in a new life. */
  restarted(life: number): void {
    this.life = life
    this.next = 0
    this.digest = ZERO_BYTES32
    this.#told.clear()
  }

  /** A task begins; one that is begun again prints anew. */
  began(index: number, isResumed: boolean): void {
    if (isResumed) return
    for (const stream of [1, 2]) this.#passed.delete(keyOf(index, stream))
  }

  /** What of a piece of output was not heard before. */
  unheard(index: number, stream: number, bytes: Uint8Array): Uint8Array {
    this.digest = chained(this.digest, bytes)
    const key = keyOf(index, stream)
    const from = this.#told.get(key) ?? 0
    const passed = this.#passed.get(key) ?? 0
    const to = from + bytes.byteLength
    this.#told.set(key, to)
    this.#passed.set(key, Math.max(passed, to))
    return bytes.subarray(Math.min(bytes.byteLength, Math.max(0, passed - from)))
  }
}

function keyOf(index: number, stream: number): string {
  return `${index}/${stream}`
}
