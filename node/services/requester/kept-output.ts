import { KiB, MiB } from '../../domain/units.ts'
import type { OutputStream } from '../../ports/sandbox.ts'

/** Most that is kept of what one run of a task has printed, bytes; the oldest goes first. */
export const MAX_KEPT_OUTPUT_BYTES: number = 1 * MiB
/** Pieces below this are put together, bytes: a program may print a byte at a time. */
const WHOLE_PIECE_BYTES: number = 4 * KiB
/** What a piece takes besides its bytes, about. */
const PIECE_OVERHEAD_BYTES = 256

/** Output of a run, and where in its stream it begins. */
export interface OutputPiece {
  readonly stream: OutputStream
  readonly at: number
  readonly bytes: Uint8Array
}

/** How much of each stream somebody has. */
export type StreamOffsets = Readonly<Record<OutputStream, number>>

/** What a run of a task has printed of late, in the order in which it came. */
export class KeptOutput {
  readonly #pieces: OutputPiece[] = []
  readonly #told: Record<OutputStream, number> = { 1: 0, 2: 0 }
  #bytes = 0

  /** What it takes to keep it, bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes printed in all. */
  get told(): StreamOffsets {
    return this.#told
  }

  /** Keeps what was printed. Returns where in its stream it begins. */
  add(stream: OutputStream, bytes: Uint8Array): number {
    const at = this.#told[stream]
    this.#told[stream] += bytes.byteLength
    const last = this.#pieces.at(-1)
    const isMore = last?.stream === stream && last.bytes.byteLength < WHOLE_PIECE_BYTES
    const piece = isMore
      ? { ...last, bytes: Buffer.concat([last.bytes, bytes]) }
      : { stream, at, bytes: bytes.slice() }
    this.#pieces.splice(isMore ? -1 : this.#pieces.length, 1, piece)
    this.#bytes += bytes.byteLength + (isMore ? 0 : PIECE_OVERHEAD_BYTES)
    while (this.#bytes > MAX_KEPT_OUTPUT_BYTES && this.#pieces.length > 1) this.dropFirst()
    return at
  }

  /** Gives up the oldest piece. Returns what it took to keep it, bytes. */
  dropFirst(): number {
    const first = this.#pieces.shift()
    if (first === undefined) return 0
    const size = first.bytes.byteLength + PIECE_OVERHEAD_BYTES
    this.#bytes -= size
    return size
  }

  /** What there is beyond the offsets. */
  after(offsets: StreamOffsets): readonly OutputPiece[] {
    return this.#pieces.flatMap(({ stream, at, bytes }) => {
      const known = Math.max(0, offsets[stream] - at)
      if (known >= bytes.byteLength) return []
      return [{ stream, at: at + known, bytes: bytes.subarray(known) }]
    })
  }

  /** The last bytes of a stream, at most so many. */
  tail(stream: OutputStream, maxBytes: number): Uint8Array {
    const own = this.#pieces.filter((piece) => piece.stream === stream)
    const all = Buffer.concat(own.map(({ bytes }) => bytes))
    return all.subarray(Math.max(0, all.byteLength - maxBytes))
  }
}
