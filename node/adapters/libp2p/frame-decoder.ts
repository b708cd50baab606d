import { HiveError } from '../../domain/errors.ts'

/** Bytes of the longest length prefix: 28 bits, more than any frame may have. */
const MAX_PREFIX_BYTES = 4

/** The unsigned varint that stands before a frame of `length` bytes. */
export function encodeLength(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** Cuts a byte stream into frames. A length beyond the limit is refused before its bytes are kept. */
export class FrameDecoder {
  readonly #maxFrameBytes: number
  #chunks: Uint8Array[] = []
  #pendingBytes = 0
  /** Length of the frame that is coming, once its prefix is whole. */
  #expected: number | undefined

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Bytes of a frame that is not whole yet, its prefix included. */
  get pendingBytes(): number {
    return this.#expected === undefined ? this.#pendingBytes : this.#pendingBytes + 1
  }

  /** Adds bytes and yields what is whole now. Throws MESSAGE_TOO_LARGE or PEER_PROTOCOL. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    this.#chunks.push(bytes)
    this.#pendingBytes += bytes.byteLength
    for (;;) {
      this.#expected ??= this.#takeLength()
      if (this.#expected === undefined || this.#pendingBytes < this.#expected) return
      const frame = this.#take(this.#expected)
      this.#expected = undefined
      yield frame
    }
  }

  #takeLength(): number | undefined {
    const prefix = this.#peek(MAX_PREFIX_BYTES)
    let length = 0
    for (const [at, byte] of prefix.entries()) {
      length |= (byte & 0x7f) << (7 * at)
      if (byte > 0x7f) continue
      if (length > this.#maxFrameBytes) {
        throw new HiveError('MESSAGE_TOO_LARGE', { bytes: length, maxBytes: this.#maxFrameBytes })
      }
      this.#take(at + 1)
      return length
    }
    if (prefix.length < MAX_PREFIX_BYTES) return undefined
    throw new HiveError('PEER_PROTOCOL', { expected: 'a frame length of at most 28 bits' })
  }

  #peek(count: number): Uint8Array {
    const [first] = this.#chunks
    if (first === undefined) return new Uint8Array()
    if (first.byteLength < count && this.#chunks.length > 1) this.#join()
    return (this.#chunks[0] ?? first).subarray(0, count)
  }

  #take(count: number): Uint8Array {
    if ((this.#chunks[0]?.byteLength ?? 0) < count) this.#join()
    const first = this.#chunks[0] ?? new Uint8Array()
    const rest = first.subarray(count)
    this.#pendingBytes -= count
    if (rest.byteLength > 0) this.#chunks[0] = rest
    else this.#chunks.shift()
    return first.subarray(0, count)
  }

  #join(): void {
    this.#chunks = [new Uint8Array(Buffer.concat(this.#chunks))]
  }
}
