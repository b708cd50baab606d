import { createHash } from 'node:crypto'
import type { Bytes32 } from '../domain/ids.ts'
import { fromHex } from './bytes.ts'

const INDEX_BYTES = 4

/**
 * The seed of a deterministic task: SHA-256 of the spec's digest and the task's index as four
 * big-endian bytes. Whoever runs the task gets the same.
 */
export function taskSeed(spec: Bytes32, index: number): Uint8Array {
  const place = new Uint8Array(INDEX_BYTES)
  new DataView(place.buffer).setUint32(0, index)
  return new Uint8Array(createHash('sha256').update(fromHex(spec)).update(place).digest())
}
