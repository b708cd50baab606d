import type { Address, Bytes32 } from '../domain/ids.ts'
import { fromBigEndian, toHex } from './bytes.ts'

/** 32 random bytes from the platform's secure source. */
export function randomBytes32(): Bytes32 {
  return toHex(globalThis.crypto.getRandomValues(new Uint8Array(32)))
}

/** A random nonce below 2^256. */
export function randomNonce(): bigint {
  return random(32)
}

/**
 * A nonce for a bond offer: its low 160 bits are the requester's session key, as the contract
 * demands, so that the provider's signature fixes every part of the channel's id.
 */
export function bondNonce(requesterSigner: Address): bigint {
  return (random(12) << 160n) | BigInt(requesterSigner)
}

/** A random whole number below `limit`, which is at most 2^32; its bias is below one in a million. */
export function randomBelow(limit: number): number {
  return Number(random(8) % BigInt(limit))
}

/** The same things in a random order. */
export function shuffled<T>(things: readonly T[]): T[] {
  const keys = globalThis.crypto.getRandomValues(new Uint32Array(things.length))
  const keyed = things.map((thing, at) => ({ thing, key: keys[at] ?? 0 }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ thing }) => thing)
}

function random(bytes: number): bigint {
  return fromBigEndian(globalThis.crypto.getRandomValues(new Uint8Array(bytes)))
}
