/** Bytes of a WASM page. */
export const PAGE_BYTES = 65_536

/** The guest's linear memory, little-endian; every access outside it throws a RangeError. */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined
  #view = new DataView(new ArrayBuffer(0))
  readonly #onGrown: (bytes: number) => void

  /** `onGrown` hears the size when it is first used and whenever it is seen to have changed. */
  constructor(onGrown: (bytes: number) => void) {
    this.#onGrown = onGrown
  }

  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory
    this.#current()
  }

  /** Bytes now. */
  get size(): number {
    return this.#current().byteLength
  }

  /** A window on the guest's own bytes; void after any growth, so never kept. */
  slice(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#current().buffer, at, length)
  }

  u8(at: number): number {
    return this.#current().getUint8(at)
  }

  u16(at: number): number {
    return this.#current().getUint16(at, true)
  }

  u32(at: number): number {
    return this.#current().getUint32(at, true)
  }

  u64(at: number): bigint {
    return this.#current().getBigUint64(at, true)
  }

  setU8(at: number, value: number): void {
    this.#current().setUint8(at, value)
  }

  setU16(at: number, value: number): void {
    this.#current().setUint16(at, value, true)
  }

  setU32(at: number, value: number): void {
    this.#current().setUint32(at, value, true)
  }

  setU64(at: number, value: bigint): void {
    this.#current().setBigUint64(at, value, true)
  }

  // Growth replaces the buffer, so the view is checked at each use.
  #current(): DataView {
    const buffer = this.#memory?.buffer
    if (buffer !== undefined && buffer !== this.#view.buffer) {
      this.#view = new DataView(buffer)
      this.#onGrown(buffer.byteLength)
    }
    return this.#view
  }
}
