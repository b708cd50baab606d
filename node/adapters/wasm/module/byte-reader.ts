import { HiveError } from '../../../domain/errors.ts'

/** The refusal of a module, with why. */
export function invalidModule(why: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_INVALID', { why }, { cause })
}

/** Reads hostile bytes in order; whatever is not there or not well formed throws IMAGE_INVALID. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.byteLength) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get position(): number {
    return this.#at
  }

  get end(): number {
    return this.#end
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  u8(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined
    if (byte === undefined) throw invalidModule('the module ends too early')
    this.#at += 1
    return byte
  }

  /** A LEB128 number below 2^32, in at most five bytes. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** shift
      if (value > 0xffff_ffff) throw invalidModule('a number is above 32 bits')
      if ((byte & 0x80) === 0) return value
    }
    throw invalidModule('a number is longer than 5 bytes')
  }

  /** Passes over a LEB128 number of up to 64 bits. */
  skipNumber(): void {
    for (let bytes = 0; bytes < 10; bytes++) if (this.u8() < 0x80) return
    throw invalidModule('a number is longer than 10 bytes')
  }

  skip(length: number): void {
    if (length > this.#end - this.#at) throw invalidModule('the module ends too early')
    this.#at += length
  }

  /** The length of a vector, which cannot be above the bytes that are left. */
  count(): number {
    const count = this.u32()
    if (count > this.#end - this.#at) throw invalidModule('a vector is longer than its section')
    return count
  }

  name(): string {
    const bytes = this.take(this.u32())
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch (cause) {
      throw invalidModule('a name is not UTF-8', cause)
    }
  }

  take(length: number): Uint8Array {
    this.skip(length)
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** How often a byte occurs in what is left. */
  occurrences(byte: number): number {
    let found = 0
    for (let at = this.#at; at < this.#end; at++) if (this.#bytes[at] === byte) found += 1
    return found
  }

  /** A reader of the next `length` bytes alone. */
  within(length: number): ByteReader {
    const start = this.#at
    this.take(length)
    return new ByteReader(this.#bytes, start, this.#at)
  }

  /** Refuses bytes that are left over. */
  finish(what: string): void {
    if (!this.done) throw invalidModule(`${what} has bytes left over`)
  }
}

/** A number as LEB128. */
export function leb128(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return bytes
}
