import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { MiB } from '../../domain/units.ts'

/** What is hashed at one go, bytes: some 5 ms, in which the node does nothing else. */
const PIECE_BYTES: number = 8 * MiB

/** `sha256:<hex>` of a layer; other work of the node goes on meanwhile. */
export async function layerDigest(layer: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < layer.byteLength; at += PIECE_BYTES) {
    hash.update(layer.subarray(at, at + PIECE_BYTES))
    await setImmediate()
  }
  return `sha256:${hash.digest('hex')}`
}
