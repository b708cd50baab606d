import { isHex, type Address } from '../domain/ids.ts'
import { parseAmount, type Amount } from '../domain/money.ts'
import { parseBytes, parseDuration } from '../domain/units.ts'
import type { Quantity } from './config.ts'
import { INVALID, reader, type Reader } from './reading.ts'

/** Digits beyond which a JSON or YAML number no longer says exactly what was written. */
const EXACT_DIGITS = 15

/** `true` or `false`; as text only where it comes from the environment or a flag. */
export const bool: Reader<boolean> = reader('true or false', (raw) =>
  typeof raw === 'boolean' ? raw : raw === 'true' ? true : raw === 'false' ? false : undefined,
)

/** Text of 1 to `maxChars` characters that fits `pattern`. */
export function text(expected: string, pattern: RegExp, maxChars: number): Reader<string> {
  return reader(expected, (raw) =>
    typeof raw === 'string' && raw.length <= maxChars && pattern.test(raw) ? raw : undefined,
  )
}

/** One of a few words. */
export function word<const T extends string>(...words: readonly T[]): Reader<T> {
  return reader(words.join(' or '), (raw) => words.find((each) => each === raw))
}

/** A whole number between two others, both included. */
export function integer(min: number, max: number): Reader<number> {
  return reader(`a whole number from ${min} to ${max}`, (raw) => {
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw
    const fits = Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
    return fits ? Number(value) : undefined
  })
}

/** Cores, such as `2` or `0.5`, as thousandths. */
export const cores: Reader<number> = reader('a number of cores above 0, such as 0.5', (raw) => {
  const value = typeof raw === 'string' && /^\d{1,6}(\.\d{1,3})?$/.test(raw) ? Number(raw) : raw
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const millis = Math.round(value * 1000)
  return millis >= 1 && millis <= 1_000_000_000 ? millis : undefined
})

/** A number from 1 to `most`, such as `1.5`. */
export function factor(most: number): Reader<number> {
  return reader(`a number from 1 to ${most}, such as 1.5`, (raw) => {
    const value = typeof raw === 'string' && /^\d{1,3}(\.\d{1,3})?$/.test(raw) ? Number(raw) : raw
    return typeof value === 'number' && value >= 1 && value <= most ? value : undefined
  })
}

/** A size, such as `256MiB`, in bytes. */
export const size: Reader<number> = reader('a size such as 256MiB', (raw) =>
  isTextOrNumber(raw) ? parseBytes(raw) : undefined,
)

/** What `inner` reads, or a part of the whole such as `50%`. */
export function orPercent(inner: Reader<number>, expected: string): Reader<Quantity> {
  return reader(`${expected}, or a part such as 50%`, (raw) => {
    const percent =
      typeof raw === 'string' ? /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(raw)?.[1] : undefined
    const part = Number(percent) / 100
    if (percent !== undefined) return part > 0 && part <= 1 ? { part } : undefined
    const value = inner.read(raw, '', [])
    return value === INVALID ? undefined : value
  })
}

/** A duration of at most `maxMs`, such as `90s`, in ms. */
export function duration(maxMs: number): Reader<number> {
  return reader(`a duration such as 90s or 5m, at most ${maxMs / 1000}s`, (raw) => {
    const ms = isTextOrNumber(raw) ? parseDuration(raw) : undefined
    return ms !== undefined && ms <= maxMs ? ms : undefined
  })
}

/** Tokens, such as `0.25`. A number is taken only while it is exact. */
export const amount: Reader<Amount> = reader(
  'a decimal number of tokens such as 0.25, in quotes if it is long',
  (raw) => {
    const exact =
      typeof raw === 'number' && String(raw).replace(/\D/g, '').length <= EXACT_DIGITS
        ? String(raw)
        : raw
    if (typeof exact !== 'string') return undefined
    try {
      return parseAmount(exact)
    } catch {
      // not an amount: the reader says what was expected
      return undefined
    }
  },
)

/** An Ethereum account or contract, in lower case. */
export const account: Reader<Address> = reader('an address: 0x and 40 hex digits', (raw) => {
  const lower = typeof raw === 'string' ? raw.toLowerCase() : raw
  return isHex(lower, 20) ? lower : undefined
})

function isTextOrNumber(raw: unknown): raw is string | number {
  return typeof raw === 'string' || typeof raw === 'number'
}
