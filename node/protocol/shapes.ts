import type { ErrorCode } from '../domain/error-codes.ts'
import { isErrorCode } from '../domain/errors.ts'
import { malformed, recordFromWire, recordToWire, type Shape, type Shapes } from './schema.ts'

/** Bytes of at most `maxBytes`. */
export function bytesUpTo(maxBytes: number): Shape<Uint8Array> {
  return {
    toWire: (value) => value,
    fromWire: (raw, path) =>
      raw instanceof Uint8Array && raw.byteLength <= maxBytes
        ? raw
        : malformed(path, `at most ${maxBytes} bytes`),
  }
}

/** A whole number, possibly negative, within 2^53. */
export const wholeNumber: Shape<number> = {
  toWire: (value) => value,
  fromWire: (raw, path) =>
    typeof raw === 'number' && Number.isSafeInteger(raw) ? raw : malformed(path, 'a whole number'),
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  return {
    toWire: (value) => value,
    fromWire: (raw, path) =>
      words.find((word) => word === raw) ?? malformed(path, words.join(', ')),
  }
}

/** A nested record with exactly these fields. */
export function record<T extends object>(fields: Shapes<T>): Shape<T> {
  return {
    toWire: (value) => recordToWire(fields, value),
    fromWire: (raw, path) => recordFromWire(fields, raw, path),
  }
}

/** A field that may be left out. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    toWire: (value) => (value === undefined ? undefined : shape.toWire(value)),
    fromWire: (raw, path) => (raw === undefined ? undefined : shape.fromWire(raw, path)),
  }
}

/** Text to text, at most `maxEntries` of them. */
export function textMap(
  maxEntries: number,
  maxChars: number,
): Shape<Readonly<Record<string, string>>> {
  return {
    toWire: (value) => value,
    fromWire: (raw, path) => {
      const isMap =
        typeof raw === 'object' &&
        raw !== null &&
        !Array.isArray(raw) &&
        !(raw instanceof Uint8Array)
      const entries = isMap ? Object.entries(raw) : malformed(path, 'a map of text')
      const fits = entries.every(
        ([key, value]) =>
          key.length <= maxChars && typeof value === 'string' && value.length <= maxChars,
      )
      return fits && entries.length <= maxEntries
        ? (Object.fromEntries(entries) as Record<string, string>)
        : malformed(path, `at most ${maxEntries} short texts`)
    },
  }
}

/** An error code of the table that this build knows; a peer's other words are refused. */
export const errorCode: Shape<ErrorCode> = {
  toWire: (value) => value,
  fromWire: (raw, path) => (isErrorCode(raw) ? raw : malformed(path, 'a known code')),
}
