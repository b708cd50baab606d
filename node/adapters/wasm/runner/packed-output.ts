import type { OutputChunk } from './output-ring.ts'

/** Before each piece: its stream in one byte, its length in four. */
const HEAD_BYTES = 5

/** Pieces of output in one buffer: an object for each would cost the node far more than the piece. */
export function packOutput(chunks: readonly OutputChunk[]): Uint8Array {
  const size = chunks.reduce((sum, { bytes }) => sum + HEAD_BYTES + bytes.byteLength, 0)
  const packed = Buffer.alloc(size)
  let at = 0
  for (const { stream, bytes } of chunks) {
    packed[at] = stream
    packed.writeUInt32LE(bytes.byteLength, at + 1)
    packed.set(bytes, at + HEAD_BYTES)
    at += HEAD_BYTES + bytes.byteLength
  }
  return packed
}

/** The pieces again, as views; nothing after one that is cut off, for a runner may have been taken over. */
export function* unpackOutput(packed: Uint8Array): Generator<OutputChunk> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  for (let at = 0; at + HEAD_BYTES <= packed.byteLength;) {
    const start = at + HEAD_BYTES
    const end = start + view.getUint32(at + 1, true)
    if (end > packed.byteLength) return
    yield { stream: packed[at] === 2 ? 2 : 1, bytes: packed.subarray(start, end) }
    at = end
  }
}
