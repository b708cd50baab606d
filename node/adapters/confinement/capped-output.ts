import type { OutputStream } from '../../ports/sandbox.ts'

/** What capturing reports while it goes on. */
export interface CaptureEvents {
  readonly onOutput: (stream: OutputStream, chunk: Uint8Array) => void
  /** The cap is reached; nothing more is kept or reported. Called once. */
  readonly onFull: () => void
}

/** Keeps what a job prints, both streams together up to a cap. */
export class CappedOutput {
  readonly #events: CaptureEvents
  readonly #kept: Readonly<Record<OutputStream, Uint8Array[]>> = { 1: [], 2: [] }
  #room: number
  #isFull = false

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

  /** Takes the next bytes of one stream. */
  push(stream: OutputStream, piece: Uint8Array): void {
    if (this.#isFull || piece.length === 0) return
    const kept = Buffer.from(piece.subarray(0, this.#room))
    this.#room -= kept.length
    if (kept.length > 0) {
      this.#kept[stream].push(kept)
      this.#events.onOutput(stream, kept)
    }
    if (kept.length === piece.length) return
    this.#isFull = true
    this.#events.onFull()
  }
}
