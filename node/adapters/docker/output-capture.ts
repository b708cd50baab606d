import type { OutputStream } from '../../ports/sandbox.ts'

/** Bytes before each piece of output: stream, three zeros, length. Source: Engine API, ContainerAttach. */
const FRAME_HEADER_BYTES = 8

/** What capturing reports while it goes on. */
export interface CaptureEvents {
  readonly onOutput: (stream: OutputStream, chunk: Uint8Array) => void
  /** The cap is reached; nothing more is kept or reported. Called once. */
  readonly onFull: () => void
}

/** Takes a container's two streams apart and keeps them, up to a cap. */
export class OutputCapture {
  readonly #events: CaptureEvents
  readonly #kept: Readonly<Record<OutputStream, Uint8Array[]>> = { 1: [], 2: [] }
  #room: number
  #isFull = false
  #header = Buffer.alloc(0)
  #stream: OutputStream = 1
  #frameLeft = 0

  constructor(maxBytes: number, events: CaptureEvents) {
    this.#room = maxBytes
    this.#events = events
  }

  get stdout(): Uint8Array {
    return Buffer.concat(this.#kept[1])
  }

  get stderr(): Uint8Array {
    return Buffer.concat(this.#kept[2])
  }

  /** Takes the next bytes of the engine's framed stream. */
  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#frameLeft === 0) {
        const missing = FRAME_HEADER_BYTES - this.#header.length
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)])
        rest = rest.subarray(missing)
        if (this.#header.length < FRAME_HEADER_BYTES) return
        this.#stream = this.#header[0] === 2 ? 2 : 1
        this.#frameLeft = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
      }
      const piece = rest.subarray(0, this.#frameLeft)
      rest = rest.subarray(piece.length)
      this.#frameLeft -= piece.length
      this.#keep(piece)
    }
  }

  #keep(piece: Buffer): void {
    if (this.#isFull || piece.length === 0) return
    const kept = Buffer.from(piece.subarray(0, this.#room))
    this.#room -= kept.length
    if (kept.length > 0) {
      this.#kept[this.#stream].push(kept)
      this.#events.onOutput(this.#stream, kept)
    }
    if (kept.length === piece.length) return
    this.#isFull = true
    this.#events.onFull()
  }
}
