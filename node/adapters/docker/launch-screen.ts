import { Transform, type TransformCallback } from 'node:stream'
import { FRAME_HEADER_BYTES } from './output-capture.ts'

/**
 * Passes a container's framed output on, unless it begins with the launching program's own word that it could not
 * launch: its secret on stderr, which no job knows.
 */
export class LaunchScreen extends Transform {
  /** The word, with what is still missing of it. */
  readonly #word: Buffer
  #held: Buffer = Buffer.alloc(0)
  #isPast = false
  #hasFailed = false

  constructor(secret: Uint8Array) {
    super()
    const header = Buffer.alloc(FRAME_HEADER_BYTES)
    header[0] = 2
    header.writeUInt32BE(secret.length, 4)
    this.#word = Buffer.concat([header, secret])
  }

  /** Whether nothing was launched; known when the stream ends. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#isPast) {
      done(null, chunk)
      return
    }
    this.#held = Buffer.concat([this.#held, chunk])
    const { length } = this.#held
    if (length < this.#word.length && this.#word.subarray(0, length).equals(this.#held)) {
      done()
      return
    }
    this.#isPast = true
    this.#hasFailed = this.#held.subarray(0, this.#word.length).equals(this.#word)
    if (this.#hasFailed) done()
    else done(null, this.#held)
  }

  override _flush(done: TransformCallback): void {
    if (this.#isPast) done()
    else done(null, this.#held)
  }
}
