import { median, type FigureName } from '../../../domain/capacity.ts'
import { syncRate, writeRate } from './disk-stages.ts'
import { fuelMeter } from './fuel.ts'
import { Lanes } from './lanes.ts'
import { argon2Time, copyRate, hashRate, readLatency, TRIES } from './memory-stages.ts'

/** How long one try of burning fuel lasts, ms. */
const FUEL_MS = 60

/** Measures one thing after the other, what matters most first, and tells each figure at once. */
export async function runBenchmark(
  dir: string,
  cores: number,
  tell: (name: FigureName, value: number) => void,
): Promise<void> {
  const meter = fuelMeter()
  tell('fuelPerSecond', median(Array.from({ length: TRIES }, () => meter(FUEL_MS))))
  tell('hashBytesPerSecond', hashRate())
  tell('argon2Ms', argon2Time())
  tell('copyBytesPerSecond', copyRate())
  tell('latencyNs', readLatency())
  tell('fuelPerSecondAllCores', await allCores(cores))
  tell('diskSyncsPerSecond', syncRate(dir))
  tell('diskWriteBytesPerSecond', writeRate(dir))
}

async function allCores(cores: number): Promise<number> {
  const lanes = await Lanes.open(cores)
  const work = Array.from({ length: cores }, () => ({ type: 'fuel', ms: FUEL_MS }) as const)
  await lanes.run(work) // every thread has its program compiled
  const sums: number[] = []
  for (let left = TRIES; left > 0; left -= 1)
    sums.push((await lanes.run(work)).reduce<number>((sum, rate) => sum + Number(rate), 0))
  return median(sums)
}
