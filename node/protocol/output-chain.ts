import { concat, keccak256 } from 'ethers'
import type { Bytes32 } from '../domain/ids.ts'

/** The hash chain over a share's output with one more piece, as both sides tell it. */
export function chained(digest: Bytes32, piece: Uint8Array): Bytes32 {
  return keccak256(concat([digest, piece])) as Bytes32
}
