import * as dagCbor from '@ipld/dag-cbor'
import { HiveError } from '../domain/errors.ts'

/** Canonical dag-cbor of plain data: sorted keys, shortest integers, bytes as `Uint8Array`. */
export function encodeCbor(value: unknown): Uint8Array {
  return dagCbor.encode(value)
}

/**
 * Decodes bytes from a stranger: size first, then dag-cbor, then proof that they are the canonical
 * spelling. Throws `MESSAGE_TOO_LARGE`, `MESSAGE_MALFORMED` or `MESSAGE_NOT_CANONICAL`.
 */
export function decodeCbor(bytes: Uint8Array, maxBytes: number): unknown {
  if (bytes.byteLength > maxBytes) {
    throw new HiveError('MESSAGE_TOO_LARGE', { bytes: bytes.byteLength, maxBytes })
  }
  let value: unknown
  let again: Uint8Array
  try {
    value = dagCbor.decode(bytes)
    again = dagCbor.encode(value)
  } catch (cause) {
    throw new HiveError('MESSAGE_MALFORMED', { at: 'dag-cbor' }, { cause })
  }
  if (!sameBytes(bytes, again)) throw new HiveError('MESSAGE_NOT_CANONICAL')
  return value
}

/** Whether two byte strings are equal; not constant time, so never for secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at])
}
