import { createCipheriv, randomFillSync } from 'node:crypto'

/** Random bytes are made in pieces, because a native call cannot be interrupted by the wall-time kill. */
const PIECE_BYTES = 65_536
const COUNTER_BYTES = 16

/** Fills bytes with random ones. */
export type Randomness = (bytes: Uint8Array) => void

/** Randomness of this machine. */
export function systemRandomness(): Randomness {
  return inPieces((piece) => {
    randomFillSync(piece)
  })
}

/** The key stream of AES-256 in counter mode from 0, under a seed of 32 bytes: one stream, however it is asked for. */
export function seededRandomness(seed: Uint8Array): Randomness {
  const stream = createCipheriv('aes-256-ctr', seed, new Uint8Array(COUNTER_BYTES))
  return inPieces((piece) => {
    piece.set(stream.update(new Uint8Array(piece.byteLength)))
  })
}

function inPieces(fill: (piece: Uint8Array) => void): Randomness {
  return (bytes) => {
    for (let done = 0; done < bytes.byteLength; done += PIECE_BYTES)
      fill(bytes.subarray(done, done + PIECE_BYTES))
  }
}
