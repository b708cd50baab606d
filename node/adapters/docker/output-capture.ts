import type { OutputStream } from '../../ports/sandbox.ts'
import type { CappedOutput } from '../confinement/capped-output.ts'

/** Bytes before each piece of output: stream, three zeros, length. Source: Engine API, ContainerAttach. */
export const FRAME_HEADER_BYTES = 8

const NO_BYTES: Buffer = Buffer.alloc(0)

/** Which stream the piece of output with its header at `at` is from. */
export function streamOf(bytes: Uint8Array, at: number): OutputStream {
  return bytes[at] === 2 ? 2 : 1
}

/** Takes a container's two streams apart. */
export class OutputCapture {
  readonly #output: Pick<CappedOutput, 'push'>
  #header = NO_BYTES
  #stream: OutputStream = 1
  #frameLeft = 0

  constructor(parts: { readonly output: Pick<CappedOutput, 'push'> }) {
    this.#output = parts.output
  }

  /** Takes the next bytes of the engine's framed stream. */
  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#frameLeft === 0) {
        const missing = FRAME_HEADER_BYTES - this.#header.length
        const begun = rest.subarray(0, missing)
        const header = this.#header.length === 0 ? begun : Buffer.concat([this.#header, begun])
        rest = rest.subarray(missing)
        this.#header = header.length < FRAME_HEADER_BYTES ? header : NO_BYTES
        if (header.length < FRAME_HEADER_BYTES) return
        this.#stream = streamOf(header, 0)
        this.#frameLeft = header.readUInt32BE(4)
      }
      const piece = rest.subarray(0, this.#frameLeft)
      rest = rest.subarray(piece.length)
      this.#frameLeft -= piece.length
      this.#output.push(this.#stream, piece)
    }
  }
}
