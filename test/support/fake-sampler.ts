import type { MachineSample } from '../../node/domain/machine-sample.ts'
import type { Clock } from '../../node/ports/clock.ts'
import type { MachineSampler } from '../../node/ports/machine-sampler.ts'

/** A machine that does what a test says. */
export class FakeSampler implements MachineSampler {
  /** How often it was looked at. */
  looks = 0
  /** What it does. */
  doing: Partial<MachineSample> = { cpu: 0.5 }
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async sample(): Promise<MachineSample> {
    this.looks += 1
    return { at: this.#clock.now(), gpus: [], nodeMemoryBytes: 1e8, ...this.doing }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
