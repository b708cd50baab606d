import { invalidModule, leb128, type ByteReader } from './byte-reader.ts'

/** How many pages or elements there are at first and at most. */
export interface LimitsField {
  readonly minimum: number
  /** `undefined`: as many as the format allows. */
  readonly maximum: number | undefined
}

const HAS_MAXIMUM = 1
const SHARED = 2
const WIDE = 4

/** Reads the limits of a memory or table; shared and 64-bit ones are refused. */
export function readLimits(reader: ByteReader, what: string): LimitsField {
  const flags = reader.u8()
  if ((flags & SHARED) !== 0)
    throw invalidModule(`${what} is shared; threads are not available here`)
  if ((flags & WIDE) !== 0) throw invalidModule(`${what} has 64-bit addresses`)
  if (flags > HAS_MAXIMUM) throw invalidModule(`${what} has unknown flags`)
  const minimum = reader.u32()
  const maximum = flags === HAS_MAXIMUM ? reader.u32() : undefined
  if (maximum !== undefined && maximum < minimum)
    throw invalidModule(`${what} has a maximum below its minimum`)
  return { minimum, maximum }
}

/** The same limits with a maximum of at most `most`, as bytes. */
export function clampedLimits(
  { minimum, maximum = Infinity }: LimitsField,
  most: number,
): number[] {
  return [HAS_MAXIMUM, ...leb128(minimum), ...leb128(Math.min(maximum, most))]
}
