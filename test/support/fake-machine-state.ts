import type { Clock } from '../../node/ports/clock.ts'
import type { MachineCondition, MachineState } from '../../node/ports/machine-state.ts'

/** A machine whose owner is a test. */
export class FakeMachineState implements MachineState {
  readonly #clock: Clock
  #onBattery = false
  #lastUse: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async read(): Promise<MachineCondition> {
    const idleMs = this.#lastUse === undefined ? undefined : this.#clock.now() - this.#lastUse
    return { onBattery: this.#onBattery, idleMs }
  }

  async unplug(): Promise<void> {
    this.#onBattery = true
  }

  async plugIn(): Promise<void> {
    this.#onBattery = false
  }

  async use(): Promise<void> {
    this.#lastUse = this.#clock.now()
  }
}
