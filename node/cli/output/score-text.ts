import type { ScoreBody } from '../../api/schemas/hardware.ts'
import { cutFrom, type FigureName } from '../../domain/capacity.ts'
import { formatBytes } from '../../domain/units.ts'
import { dateText } from './words.ts'

/** What each figure is called, and how it is written. */
const FIGURE_TEXT: Readonly<Record<FigureName, readonly [string, (value: number) => string]>> = {
  fuelPerSecond: ['fuel, one core', fuel],
  fuelPerSecondAllCores: ['fuel, all cores', fuel],
  copyBytesPerSecond: ['memory copied', rateText],
  latencyNs: ['memory latency', (ns) => `${Math.round(ns)} ns`],
  hashBytesPerSecond: ['SHA-256', rateText],
  argon2Ms: ['argon2id of 64 MiB', (ms) => `${Math.round(ms)} ms`],
  diskWriteBytesPerSecond: ['disk written', rateText],
  diskSyncsPerSecond: ['disk, durable 4 KiB', (count) => `${Math.round(count)} a second`],
}

/** A score as names and values. */
export function scorePairs(score: ScoreBody): (readonly [string, string | undefined])[] {
  const names = Object.keys(FIGURE_TEXT) as FigureName[]
  const missing = cutFrom(score).map((name) => FIGURE_TEXT[name][0])
  return [
    ...names.map((name): [string, string | undefined] => {
      const [title, written] = FIGURE_TEXT[name]
      const value = score[name]
      return [title, value === undefined ? undefined : written(value)]
    }),
    ['cores at once', String(score.cores)],
    ['measured', dateText(score.measuredAt)],
    ['no time for', missing.length === 0 ? undefined : missing.join(', ')],
  ]
}

/** A score in one line. */
export function scoreLine({ fuelPerSecond, fuelPerSecondAllCores = 0 }: ScoreBody): string {
  const one = fuelPerSecond === undefined ? '?' : fuel(fuelPerSecond)
  return fuelPerSecondAllCores === 0 ? one : `${one}; ${fuel(fuelPerSecondAllCores)} on all cores`
}

/** Bytes in a second as people read them. */
export function rateText(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`
}

function fuel(perSecond: number): string {
  return `${(perSecond / 1e9).toFixed(1)} G fuel/s`
}
