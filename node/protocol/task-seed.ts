import { concat, sha256, toBeHex } from 'ethers'
import type { Bytes32, Hex } from '../domain/ids.ts'
import { fromHex } from './bytes.ts'

const INDEX_BYTES = 4

/**
 * The seed of a deterministic task: SHA-256 of the spec's digest and the task's index as four
 * big-endian bytes. Whoever runs the task gets the same.
 */
export function taskSeed(spec: Bytes32, index: number): Uint8Array {
  return fromHex(sha256(concat([spec, toBeHex(index, INDEX_BYTES)])) as Hex)
}
