import { GrowingBytes } from '../../domain/growing-bytes.ts'
import type { OutputStream } from '../../ports/sandbox.ts'

/** What capturing reports while it goes on. */
export interface CaptureEvents {
  /** The piece is good during the call only. */
  readonly onOutput: (stream: OutputStream, chunk: Uint8Array) => void
  /** The cap is reached; nothing more is kept or reported. Called once. */
  readonly onFull: () => void
}

/** Keeps what a job prints, both streams together up to a cap. */
export class CappedOutput {
  readonly #events: CaptureEvents
  readonly #kept: Readonly<Record<OutputStream, GrowingBytes>> = {
    1: new GrowingBytes(),
    2: new GrowingBytes(),
  }
  #room: number
  #isFull = false

  constructor(maxBytes: number, events: CaptureEvents) {
    this.#room = maxBytes
    this.#events = events
  }

  get stdout(): Uint8Array {
    return this.#kept[1].bytes
  }

  get stderr(): Uint8Array {
    return this.#kept[2].bytes
  }

  /** Takes the next bytes of one stream. */
  push(stream: OutputStream, piece: Uint8Array): void {
    if (this.#isFull || piece.length === 0) return
    const kept = piece.subarray(0, this.#room)
    this.#room -= kept.length
    if (kept.length > 0) {
      this.#kept[stream].append(kept)
      this.#events.onOutput(stream, kept)
    }
    if (kept.length === piece.length) return
    this.#isFull = true
    this.#events.onFull()
  }
}
