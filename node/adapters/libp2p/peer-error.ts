import type { ErrorCode } from '../../domain/error-codes.ts'
import { type ErrorData, HiveError, isErrorCode } from '../../domain/errors.ts'
import { decodeCbor, encodeCbor } from '../../protocol/cbor.ts'

/** Largest encoded error that crosses between peers, bytes. */
export const MAX_ERROR_BYTES = 4096
const MAX_DATA_ENTRIES = 16
const MAX_LIST_ITEMS = 8
/** Characters; with the two counts above an encoded error stays under MAX_ERROR_BYTES in practice. */
const MAX_TEXT_CHARS = 256
const DATA_KEY = /^[a-zA-Z][a-zA-Z0-9]{0,31}$/

/** Speaks of the caller itself, so a peer never gets to say it. */
const LOCAL_CODE: ErrorCode = 'CANCELLED'

/** A handler's error as bytes: code and plain data of ours, INTERNAL without details for any other. */
export function encodePeerError(error: unknown): Uint8Array {
  if (!(error instanceof HiveError) || error.code === LOCAL_CODE) return encode('INTERNAL', {})
  const data = Object.entries(error.data).filter(([key, value]) => isPlain(key, value))
  const encoded = encode(error.code, Object.fromEntries(data.slice(0, MAX_DATA_ENTRIES)))
  return encoded.byteLength <= MAX_ERROR_BYTES ? encoded : encode(error.code, {})
}

/**
 * The error that a peer answered with. Throws PEER_PROTOCOL when the bytes are not an error with a
 * code that this build knows and plain data within the limits.
 */
export function decodePeerError(bytes: Uint8Array): HiveError {
  let value: unknown
  try {
    value = decodeCbor(bytes, MAX_ERROR_BYTES)
  } catch (cause) {
    throw new HiveError('PEER_PROTOCOL', { expected: 'an error' }, { cause })
  }
  if (!isRecord(value) || !isErrorCode(value['code']) || value['code'] === LOCAL_CODE) {
    throw new HiveError('PEER_PROTOCOL', { expected: 'a known error code' })
  }
  const { code, data, ...rest } = value
  const entries = isRecord(data) ? Object.entries(data) : undefined
  const fits = entries !== undefined && entries.length <= MAX_DATA_ENTRIES
  if (!fits || Object.keys(rest).length > 0 || !entries.every(isPlainEntry)) {
    throw new HiveError('PEER_PROTOCOL', { expected: 'an error with plain data' })
  }
  return new HiveError(code, Object.fromEntries(entries))
}

function encode(code: ErrorCode, data: ErrorData): Uint8Array {
  return encodeCbor({ code, data })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPlainEntry(entry: [string, unknown]): entry is [string, ErrorData[string]] {
  return isPlain(...entry)
}

function isPlain(key: string, value: unknown): boolean {
  if (!DATA_KEY.test(key)) return false
  if (Array.isArray(value)) return value.length <= MAX_LIST_ITEMS && value.every(isShortText)
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value
  return typeof value === 'boolean' || Number.isFinite(value) || isShortText(value)
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_TEXT_CHARS
}
