import * as bytes from 'multiformats/bytes'
import type { Hex } from '../domain/ids.ts'

/** Bytes as lower-case hex. */
export function toHex(value: Uint8Array): Hex {
  return `0x${bytes.toHex(value)}`
}

/** Bytes of a hex string that is known to be well formed. */
export function fromHex(hex: Hex): Uint8Array {
  return bytes.fromHex(hex.slice(2))
}

/** A whole number as big-endian bytes of a fixed width. */
export function toBigEndian(value: bigint, width: number): Uint8Array {
  return bytes.fromHex(value.toString(16).padStart(2 * width, '0'))
}

/** Big-endian bytes as a whole number. */
export function fromBigEndian(value: Uint8Array): bigint {
  return value.byteLength === 0 ? 0n : BigInt(toHex(value))
}
