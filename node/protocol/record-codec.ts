import { HiveError } from '../domain/errors.ts'

/** Key of an object that stands for an amount, as decimal text. */
const BIGINT = '$bigint'
/** Key of an object that stands for one with a key like these two, as its entries. */
const ENTRIES = '$entries'

/**
 * A node's own records as JSON text; amounts keep their type through a tag. Only for what this node
 * wrote itself: strangers' bytes go through protocol/cbor.ts.
 */
export function encodeRecord(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, (_, each: unknown) => tagged(each)))
}

/** Throws `DATA_DAMAGED` when the bytes are not a record. */
export function decodeRecord(bytes: Uint8Array, key: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return JSON.parse(text, (_, each: unknown) => untagged(each))
  } catch (cause) {
    throw new HiveError('DATA_DAMAGED', { key }, { cause })
  }
}

function tagged(value: unknown): unknown {
  if (typeof value === 'bigint') return { [BIGINT]: value.toString() }
  // A record that has a key like our tags, such as a job's variable of that name, is told apart.
  return isObject(value) && (BIGINT in value || ENTRIES in value)
    ? { [ENTRIES]: Object.entries(value) }
    : value
}

function untagged(value: unknown): unknown {
  if (!isObject(value)) return value
  if (Array.isArray(value[ENTRIES])) return Object.fromEntries(value[ENTRIES])
  return typeof value[BIGINT] === 'string' ? BigInt(value[BIGINT]) : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
