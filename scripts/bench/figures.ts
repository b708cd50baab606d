import { loadavg } from 'node:os'

/** Bytes of a megabyte, by which memory and traffic are promised. */
export const MB = 1e6

/** One measured number. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** How many measurements stand behind it. */
  readonly samples: number
  /** Runnable processes of the last minute when it was taken; above the number of cores it is too high. */
  readonly load: number
  /** What else a reader must know. */
  readonly note?: string
}

/** Makes a figure with the load of now. */
export function figure(
  name: string,
  value: number,
  unit: string,
  samples: number,
  note?: string,
): Figure {
  const load = Math.round((loadavg()[0] ?? 0) * 100) / 100
  const rounded = Number(value.toPrecision(4))
  return { name, value: rounded, unit, samples, load, ...(note !== undefined && { note }) }
}

/** The value below which a share of the measurements lies, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Runs `work` and returns how long it took, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Runs `work` again and again, one after another; how long each took, ms. */
export async function timedEach(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < count; at++) times.push(await timed(work))
  return times
}
