import { HiveError } from '../domain/errors.ts'
import { isHex, type Address, type Bytes32, type Hex } from '../domain/ids.ts'
import { fromBigEndian, fromHex, toBigEndian, toHex } from './bytes.ts'

/** A value's way to and from dag-cbor data. */
export interface Shape<T> {
  readonly toWire: (value: T) => unknown
  /** Throws `MESSAGE_MALFORMED` naming `path` unless `raw` is exactly of this type. */
  readonly fromWire: (raw: unknown, path: string) => T
}

/** A shape that EIP-712 knows too. */
export interface Field<T> extends Shape<T> {
  readonly solidity: string
}

/** The fields of a record. */
export type Shapes<T> = { readonly [K in keyof T]-?: Shape<T[K]> }

/** The fields of a signed message, in the order of its EIP-712 type. */
export type Fields<T> = { readonly [K in keyof T]: Field<T[K]> }

/** 20-byte account, as bytes on the wire. */
export const address: Field<Address> = hexBytes(20, 'address')
/** 32 bytes. */
export const bytes32: Field<Bytes32> = hexBytes(32, 'bytes32')
export const uint8: Field<number> = integer(8)
export const uint32: Field<number> = integer(32)
export const uint40: Field<number> = integer(40)
/** Only up to 2^53-1, so that it stays an exact JavaScript number; larger ones are refused. */
export const uint64: Field<number> = integer(53, 'uint64')
export const uint96: Field<bigint> = bigInteger(96)
export const uint256: Field<bigint> = bigInteger(256)

export const bool: Field<boolean> = {
  solidity: 'bool',
  toWire: (value) => value,
  fromWire: (raw, path) => (typeof raw === 'boolean' ? raw : malformed(path, 'true or false')),
}

/** UTF-8 text of at most `maxChars` characters. */
export function text(maxChars: number): Field<string> {
  const check = (raw: unknown, path: string) =>
    typeof raw === 'string' && raw.length <= maxChars && raw.isWellFormed()
      ? raw
      : malformed(path, `text of at most ${maxChars} characters`)
  return { solidity: 'string', toWire: (value) => check(value, 'text'), fromWire: check }
}

/** At most `maxItems` of `item`. */
export function list<T>(item: Field<T>, maxItems: number): Field<readonly T[]>
export function list<T>(item: Shape<T>, maxItems: number): Shape<readonly T[]>
export function list<T>(item: Shape<T> | Field<T>, maxItems: number): Shape<readonly T[]> {
  const shape: Shape<readonly T[]> = {
    toWire: (values) =>
      values.length <= maxItems
        ? values.map(item.toWire)
        : malformed('list', `a list of at most ${maxItems}`),
    fromWire: (raw, path) =>
      Array.isArray(raw) && raw.length <= maxItems
        ? raw.map((each, at) => item.fromWire(each, `${path}.${at}`))
        : malformed(path, `a list of at most ${maxItems}`),
  }
  return 'solidity' in item ? Object.assign(shape, { solidity: `${item.solidity}[]` }) : shape
}

/** A value's fields as dag-cbor data; absent optional ones are left out. */
export function recordToWire<T extends object>(
  fields: Shapes<T>,
  value: T,
): Record<string, unknown> {
  const keys = Object.keys(fields) as (keyof T & string)[]
  const present = keys.filter((key) => value[key] !== undefined)
  return Object.fromEntries(present.map((key) => [key, fields[key].toWire(value[key])]))
}

/** Strictly the declared fields, each of its type; unknown and missing ones are refused by name. */
export function recordFromWire<T extends object>(fields: Shapes<T>, raw: unknown, path: string): T {
  const data = asMap(raw, path)
  const unknown = Object.keys(data).find((key) => !Object.hasOwn(fields, key))
  if (unknown !== undefined) malformed(`${path}.${unknown.slice(0, 40)}`, 'no such field')
  const keys = Object.keys(fields) as (keyof T & string)[]
  const entries = keys.map((key) => [key, fields[key].fromWire(data[key], `${path}.${key}`)])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T
}

/** `raw` as a string-keyed map. Throws `MESSAGE_MALFORMED` otherwise. */
export function asMap(raw: unknown, path: string): Readonly<Record<string, unknown>> {
  const isMap =
    typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !(raw instanceof Uint8Array)
  return isMap ? (raw as Record<string, unknown>) : malformed(path, 'a map')
}

/** Throws `MESSAGE_MALFORMED` with where and what was expected. */
export function malformed(path: string, expected: string): never {
  throw new HiveError('MESSAGE_MALFORMED', { path, expected })
}

function hexBytes(size: number, solidity: string): Field<Hex> {
  return {
    solidity,
    toWire: (value) => fromHex(isHex(value, size) ? value : malformed(solidity, `${size} bytes`)),
    fromWire: (raw, path) =>
      raw instanceof Uint8Array && raw.byteLength === size
        ? toHex(raw)
        : malformed(path, `${size} bytes`),
  }
}

function integer(bits: number, solidity = `uint${bits}`): Field<number> {
  const limit = 2 ** bits
  const check = (raw: unknown, path: string) =>
    typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw < limit
      ? raw
      : malformed(path, `a whole number below 2^${bits}`)
  return { solidity, toWire: (value) => check(value, solidity), fromWire: check }
}

function bigInteger(bits: number): Field<bigint> {
  const width = bits / 8
  const limit = 2n ** BigInt(bits)
  const solidity = `uint${bits}`
  return {
    solidity,
    toWire: (value) =>
      value >= 0n && value < limit
        ? toBigEndian(value, width)
        : malformed(solidity, `below 2^${bits}`),
    fromWire: (raw, path) =>
      raw instanceof Uint8Array && raw.byteLength === width
        ? fromBigEndian(raw)
        : malformed(path, `${width} big-endian bytes`),
  }
}
