import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { FromLane, ToLane } from './messages.ts'

/** A lane's heap holds nothing; its buffers lie outside of it. MiB. */
const HEAP_MIB = 16

/** Threads that work at the same time. */
export class Lanes {
  readonly #workers: readonly Worker[]

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers
  }

  /** Resolves when every thread can work. */
  static async open(count: number): Promise<Lanes> {
    const lanes = new Lanes(
      Array.from(
        { length: count },
        () =>
          new Worker(new URL('./lane.ts', import.meta.url), {
            env: {},
            resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
          }),
      ),
    )
    await Promise.all(lanes.#workers.map((worker) => once(worker, 'message')))
    return lanes
  }

  /** Does each piece of work at once with the others; further ones when a thread is free again. */
  async run(work: readonly ToLane[]): Promise<readonly FromLane[]> {
    const answers: FromLane[] = []
    let next = 0
    await Promise.all(
      this.#workers.map(async (worker) => {
        while (next < work.length) {
          const at = next++
          worker.postMessage(work[at])
          const [answer] = (await once(worker, 'message')) as [FromLane]
          answers[at] = answer
        }
      }),
    )
    return answers
  }
}
