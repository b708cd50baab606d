/** Lower-case hexadecimal with `0x`. */
export type Hex = `0x${string}`
/** An Ethereum account, 20 bytes, lower case; the same key as a {@link PeerId}. */
export type Address = Hex
/** 32 bytes: struct hashes, channel ids, roots, digests. */
export type Bytes32 = Hex
/** A libp2p peer id in its base58 spelling; for our secp256k1 keys it contains the public key. */
export type PeerId = string
/** A content identifier, version 1, base32. */
export type Cid = string

/** Stands where a 32-byte field has nothing to say. */
export const ZERO_BYTES32: Bytes32 = `0x${'0'.repeat(64)}`
/** Stands where an account field has nothing to say. */
export const ZERO_ADDRESS: Address = `0x${'0'.repeat(40)}`

/** Whether `value` is lower-case hex of exactly `bytes` bytes. */
export function isHex(value: unknown, bytes: number): value is Hex {
  return typeof value === 'string' && value.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/.test(value)
}

/** The start of an id that people read and type. */
export function short(id: string): string {
  return id.startsWith('0x') ? id.slice(0, 10) : id.slice(-8)
}
