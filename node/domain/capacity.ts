import { day } from './units.ts'

/** What the capacity benchmark measures. */
export const FIGURES = [
  /** Instructions of the metered WASM, weighted as they are priced: one core, then all at once. */
  'fuelPerSecond',
  'fuelPerSecondAllCores',
  /** Memory copied from one place to another. */
  'copyBytesPerSecond',
  /** One read from memory that no cache holds, ns. */
  'latencyNs',
  /** SHA-256 on one core. */
  'hashBytesPerSecond',
  /** One argon2id of 64 MiB, ms. */
  'argon2Ms',
  /** Data written to the data folder's disk and made durable. */
  'diskWriteBytesPerSecond',
  /** Writes of 4 KiB, each made durable. */
  'diskSyncsPerSecond',
] as const
export type FigureName = (typeof FIGURES)[number]

/** What a machine was measured to do. A figure that there was no time for is absent. */
export interface Score extends Readonly<Partial<Record<FigureName, number>>> {
  /** Unix ms. */
  readonly measuredAt: number
  /** Cores that ran at once for `fuelPerSecondAllCores`. */
  readonly cores: number
}

/** How long a kept score is taken for the machine's, ms: disks fill up and cooling ages, slowly. */
export const SCORE_VALIDITY_MS: number = 7 * day

/** Digits that a figure is told with: more would only be noise. */
const DIGITS = 3

/** The score from figures as they were measured; what cannot be a figure is left out. */
export function scoreOf(
  figures: Readonly<Partial<Record<FigureName, number>>>,
  cores: number,
  measuredAt: number,
): Score {
  const told = FIGURES.flatMap((name) => {
    const value = figures[name]
    const fits = value !== undefined && Number.isFinite(value) && value > 0
    return fits ? [[name, Number(value.toPrecision(DIGITS))]] : []
  })
  return { measuredAt, cores, ...(Object.fromEntries(told) as Partial<Record<FigureName, number>>) }
}

/** The figures that a score lacks: the machine was too slow for them. */
export function cutFrom(score: Score): readonly FigureName[] {
  return FIGURES.filter((name) => score[name] === undefined)
}

/** Whether a kept score still stands for a machine with `cores`. */
export function isFresh(score: Score, cores: number, now: number): boolean {
  const age = now - score.measuredAt
  return score.cores === cores && age >= 0 && age < SCORE_VALIDITY_MS
}

/** The middle one of some figures, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? NaN)) / 2
}
