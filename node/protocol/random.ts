import type { Bytes32 } from '../domain/ids.ts'
import { fromBigEndian, toHex } from './bytes.ts'

/** 32 random bytes from the platform's secure source. */
export function randomBytes32(): Bytes32 {
  return toHex(globalThis.crypto.getRandomValues(new Uint8Array(32)))
}

/** A random nonce below 2^256. */
export function randomNonce(): bigint {
  return fromBigEndian(globalThis.crypto.getRandomValues(new Uint8Array(32)))
}
