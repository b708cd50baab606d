import { METER_EXPORTS } from '../module/meter-exports.ts'

/** Most fuel there can be, and what a task has that is counted without a limit. */
const ENDLESS: number = Number.MAX_SAFE_INTEGER

/** What a metered module counts, seen from outside. */
export class GuestMeter {
  readonly #limit: bigint
  #exports: WebAssembly.Instance['exports'] = {}

  constructor(limit = ENDLESS) {
    this.#limit = BigInt(limit)
  }

  /** Gives the instance its fuel. Its start function has not run yet. */
  attach(exports: WebAssembly.Instance['exports']): void {
    this.#exports = exports
    this.#global(METER_EXPORTS.fuel).value = this.#limit
  }

  /** Runs what the module itself would have run at once. */
  start(): void {
    const start = this.#exports[METER_EXPORTS.start] as (() => void) | undefined
    start?.()
  }

  /** Fuel used so far, at most the limit. */
  get used(): bigint {
    const left = this.#left
    return left < 0n ? this.#limit : this.#limit - left
  }

  /** Whether the guest would have needed more than it had. */
  get exhausted(): boolean {
    return this.#left < 0n
  }

  /** Whether the last growth of the memory was refused. */
  get refused(): boolean {
    return this.#global(METER_EXPORTS.refused).value === 1
  }

  /** Whether the calls went deeper than the stack may be. */
  get tooDeep(): boolean {
    return this.#global(METER_EXPORTS.stack).value === -1
  }

  get #left(): bigint {
    const fuel = this.#exports[METER_EXPORTS.fuel] as WebAssembly.Global | undefined
    return fuel === undefined ? this.#limit : (fuel.value as bigint)
  }

  #global(name: string): { value: bigint | number } {
    return (this.#exports[name] as WebAssembly.Global | undefined) ?? { value: 0 }
  }
}
