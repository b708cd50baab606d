import { createHash } from 'node:crypto'
import { runChain } from '../../node/adapters/system/measuring/chain.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { ChainJob } from '../../node/domain/challenge.ts'
import type { Effort, EffortProcess } from '../../node/ports/effort.ts'
import type { CallOptions } from '../../node/ports/requests.ts'
import type { ManualClock } from './manual-clock.ts'

/** A machine of a test, and time that passes with its work. */
export interface FakeEffortOptions {
  /** Chains that it can run at once; more take several times as long. */
  readonly cores?: number
  readonly clock?: ManualClock
  /** Time of one chain, or of one fill, ms. */
  readonly chainMs?: number
}

/** Real chains in this very process, and tags that stand for filled memory. */
export class FakeEffort implements Effort {
  /** Processes that were opened and not disposed of. */
  running = 0
  readonly #options: FakeEffortOptions

  constructor(options: FakeEffortOptions = {}) {
    this.#options = options
  }

  async open(_lanes: number, { signal }: CallOptions): Promise<EffortProcess> {
    signal.throwIfAborted()
    this.running += 1
    let isOpen = true
    const work = async (count: number, options: CallOptions) => {
      options.signal.throwIfAborted()
      if (!isOpen) throw new HiveError('BENCHMARK_FAILED', { said: 'closed' })
      const { cores = Infinity, chainMs = 0, clock } = this.#options
      await clock?.advance(chainMs * Math.max(1, Math.ceil(count / cores)))
    }
    return {
      chains: async (jobs: readonly ChainJob[], options) => {
        await work(jobs.length, options)
        return jobs.map(runChain)
      },
      fills: async (salts, bytes, options) => {
        await work(salts.length, options)
        return salts.map((salt) => createHash('sha256').update(salt).update(`${bytes}`).digest())
      },
      [Symbol.asyncDispose]: async () => {
        if (isOpen) this.running -= 1
        isOpen = false
      },
    }
  }
}
