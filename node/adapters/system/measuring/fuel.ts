import { readFileSync } from 'node:fs'

/** As node/adapters/wasm names what is left of it. */
const FUEL_EXPORT = 'hive:fuel'
/** Rounds between two looks at the clock; some hundred microseconds. */
const ROUNDS = 100_000
const FULL = 2n ** 62n

/** Loads the metered program; returns how much fuel it uses in a second, tried for `ms`. */
export function fuelMeter(): (ms: number) => number {
  const bytes = readFileSync(new URL('./fuel.wasm', import.meta.url))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {})
  const run = exports['run'] as (rounds: number, seed: number) => number
  const fuel = exports[FUEL_EXPORT] as WebAssembly.Global
  fuel.value = FULL
  run(ROUNDS, 1) // the optimising compiler works before the clock starts
  return (ms) => {
    fuel.value = FULL
    const startedAt = performance.now()
    let seed = 1
    while (performance.now() - startedAt < ms) seed = run(ROUNDS, seed)
    return (Number(FULL - fuel.value) * 1000) / (performance.now() - startedAt)
  }
}
