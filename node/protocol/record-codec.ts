import { HiveError } from '../domain/errors.ts'

/**
 * A node's own records as JSON text; amounts keep their type through a tag. Only for what this node
 * wrote itself: strangers' bytes go through protocol/cbor.ts.
 */
export function encodeRecord(value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? { $bigint: each.toString() } : each,
  )
  return new TextEncoder().encode(text)
}

/** Throws `DATA_DAMAGED` when the bytes are not a record. */
export function decodeRecord(bytes: Uint8Array, key: string): unknown {
  try {
    return JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      (_, each: unknown) => (isTagged(each) ? BigInt(each.$bigint) : each),
    )
  } catch (cause) {
    throw new HiveError('DATA_DAMAGED', { key }, { cause })
  }
}

function isTagged(value: unknown): value is { readonly $bigint: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    '$bigint' in value &&
    typeof value.$bigint === 'string'
  )
}
