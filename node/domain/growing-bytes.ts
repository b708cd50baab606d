/** First room, bytes. */
const FIRST_BYTES = 256

/** Bytes that come in pieces, in one buffer: a piece of one byte costs one byte, not an object. */
export class GrowingBytes {
  #buffer = new Uint8Array()
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What came so far; later pieces do not change it. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Copies `piece` to the end. */
  append(piece: Uint8Array): void {
    const needed = this.#length + piece.byteLength
    if (needed > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.byteLength, FIRST_BYTES))
      grown.set(this.bytes)
      this.#buffer = grown
    }
    this.#buffer.set(piece, this.#length)
    this.#length = needed
  }
}
