/** Bytes that grow, for modules of many megabytes. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(room: number) {
    this.#bytes = new Uint8Array(Math.max(64, room))
  }

  get length(): number {
    return this.#length
  }

  /** What was written, without a copy. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  u8(byte: number): void {
    if (this.#length === this.#bytes.byteLength) this.#grow(1)
    this.#bytes[this.#length++] = byte
  }

  /** A few bytes. */
  put(bytes: readonly number[]): void {
    for (const byte of bytes) this.u8(byte)
  }

  u32(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.u8((rest & 0x7f) | 0x80)
    this.u8(rest)
  }

  /** A number of at least 0 as a signed one. */
  positive(value: number): void {
    let rest = value
    for (; rest > 0x3f; rest = Math.floor(rest / 0x80)) this.u8((rest & 0x7f) | 0x80)
    this.u8(rest)
  }

  /** A stretch of other bytes. */
  copy(from: Uint8Array, start: number, end: number): void {
    const count = end - start
    if (this.#length + count > this.#bytes.byteLength) this.#grow(count)
    // Between two edits lie a few bytes; for so few, setting up a copy takes longer than the copy.
    if (count > 32) this.#bytes.set(from.subarray(start, end), this.#length)
    else
      for (let at = 0; at < count; at++) this.#bytes[this.#length + at] = from[start + at] as number
    this.#length += count
  }

  #grow(count: number): void {
    const larger = new Uint8Array(Math.ceil((this.#length + count) * 1.5))
    larger.set(this.written)
    this.#bytes = larger
  }
}
