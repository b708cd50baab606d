import type { OutputStream } from '../../../ports/sandbox.ts'

/** Room for output under way, bytes; a power of two, so that counters may wrap. */
const RING_BYTES = 262_144
/** Largest piece written at once, so that several fit. */
const PIECE_BYTES = 32_768
/** Stream and length before each piece. */
const HEAD_BYTES = 4
/**
 * Pieces of one drain that keep their order across the two streams. A guest that changes streams more often than any
 * reader could follow gets the rest of each stream as one piece.
 */
const MAX_TURNS = 256
// Cells: bytes ever written, bytes ever read, whether the reader
// knows, peak memory of the guest (KiB), processor time of the thread before the guest (ms).
const WRITTEN = 0
const READ = 1
const TOLD = 2
const PEAK = 3
const CPU = 4
const CELLS_BYTES = 32

/** Some output, in order. */
export interface OutputChunk {
  readonly stream: OutputStream
  readonly bytes: Uint8Array
}

/**
 * Output of one worker thread on its way to the main thread, in shared memory: nothing is lost when
 * the thread is killed, small writes cost no message each, and a full ring holds the guest back.
 */
export class OutputRing {
  readonly shared: SharedArrayBuffer
  readonly #cells: Int32Array
  readonly #bytes: Uint8Array

  constructor(shared = new SharedArrayBuffer(CELLS_BYTES + RING_BYTES)) {
    this.shared = shared
    this.#cells = new Int32Array(shared, 0, CELLS_BYTES / 4)
    this.#bytes = new Uint8Array(shared, CELLS_BYTES, RING_BYTES)
  }

  /** The writer's side: waits while the ring is full. `tell` must make the reader come. */
  write(stream: OutputStream, output: Uint8Array, tell: () => void): void {
    for (let at = 0; at < output.byteLength; at += PIECE_BYTES) {
      const piece = output.subarray(at, at + PIECE_BYTES)
      this.#awaitRoom(HEAD_BYTES + piece.byteLength, tell)
      const written = Atomics.load(this.#cells, WRITTEN)
      const head = [stream, piece.byteLength & 0xff, piece.byteLength >> 8, 0]
      this.#put(written, Uint8Array.from(head))
      this.#put(written + HEAD_BYTES, piece)
      Atomics.store(this.#cells, WRITTEN, written + HEAD_BYTES + piece.byteLength)
      if (Atomics.exchange(this.#cells, TOLD, 1) === 0) tell()
    }
  }

  /** The reader's side: all there is, neighbours of one stream joined, and far less pieces than the guest can make. */
  drain(): readonly OutputChunk[] {
    const chunks: { stream: OutputStream; parts: Uint8Array[] }[] = []
    const end = Atomics.load(this.#cells, WRITTEN)
    let at = Atomics.load(this.#cells, READ)
    while (at !== end) {
      const [stream = 0, low = 0, high = 0] = this.#get(at, HEAD_BYTES)
      const part = this.#get((at + HEAD_BYTES) | 0, low | (high << 8))
      at = (at + HEAD_BYTES + part.byteLength) | 0
      const recent = chunks.length < MAX_TURNS ? chunks.slice(-1) : chunks.slice(-2)
      const last = recent.find((chunk) => chunk.stream === stream)
      if (last !== undefined) last.parts.push(part)
      else chunks.push({ stream: stream === 2 ? 2 : 1, parts: [part] })
    }
    Atomics.store(this.#cells, READ, at)
    Atomics.notify(this.#cells, READ)
    return chunks.map(({ stream, parts }) => ({ stream, bytes: Buffer.concat(parts) }))
  }

  /** The reader will look no more until it is told again. What came just before this is still there to drain. */
  rest(): void {
    Atomics.store(this.#cells, TOLD, 0)
  }

  /** Largest memory the guest was seen to have, bytes. */
  get peakBytes(): number {
    return Atomics.load(this.#cells, PEAK) * 1024
  }

  set peakBytes(bytes: number) {
    Atomics.store(this.#cells, PEAK, Math.ceil(bytes / 1024))
  }

  /** Processor time that the thread had used before its present guest, ms. */
  get cpuBeforeMs(): number {
    return Atomics.load(this.#cells, CPU)
  }

  set cpuBeforeMs(ms: number) {
    Atomics.store(this.#cells, CPU, ms)
  }

  #awaitRoom(needed: number, tell: () => void): void {
    for (;;) {
      const read = Atomics.load(this.#cells, READ)
      const used = (Atomics.load(this.#cells, WRITTEN) - read) | 0
      if (RING_BYTES - used >= needed) return
      tell()
      Atomics.wait(this.#cells, READ, read)
    }
  }

  #put(position: number, bytes: Uint8Array): void {
    const at = position & (RING_BYTES - 1)
    const first = bytes.subarray(0, RING_BYTES - at)
    this.#bytes.set(first, at)
    this.#bytes.set(bytes.subarray(first.byteLength), 0)
  }

  #get(position: number, length: number): Uint8Array {
    const at = position & (RING_BYTES - 1)
    const bytes = new Uint8Array(length)
    const first = this.#bytes.subarray(at, at + length)
    bytes.set(first)
    bytes.set(this.#bytes.subarray(0, length - first.byteLength), first.byteLength)
    return bytes
  }
}
