import { admitModule } from '../../node/adapters/wasm/module/admit.ts'
import { METER_EXPORTS } from '../../node/adapters/wasm/module/meter-exports.ts'
import { meterModule } from '../../node/adapters/wasm/module/meter.ts'

/** What a metered command did. */
export interface MeteredRun {
  /** Fuel that it used; more than it had when it was not enough. */
  readonly used: number
  /** What it threw, in words; empty when it came to its end. */
  readonly thrown: string
  readonly refused: boolean
  readonly tooDeep: boolean
  readonly memory: DataView
}

/** Rewrites a module that imports nothing, gives it `fuel` and calls `_start`. */
export async function runMetered(
  module: Uint8Array,
  { fuel = 1_000_000, deterministic = false, maxPages = 16 } = {},
): Promise<MeteredRun> {
  const metered = meterModule(admitModule(module, maxPages), deterministic)
  const { exports } = new WebAssembly.Instance(await WebAssembly.compile(metered), {})
  const global = (name: string) => exports[name] as WebAssembly.Global
  global(METER_EXPORTS.fuel).value = BigInt(fuel)
  let thrown = ''
  try {
    ;(exports[METER_EXPORTS.start] as (() => void) | undefined)?.()
    ;(exports['_start'] as () => void)()
  } catch (error) {
    thrown = String(error)
  }
  return {
    used: fuel - Number(global(METER_EXPORTS.fuel).value),
    thrown,
    refused: global(METER_EXPORTS.refused).value === 1,
    tooDeep: global(METER_EXPORTS.stack).value === -1,
    memory: new DataView((exports['memory'] as WebAssembly.Memory).buffer),
  }
}
