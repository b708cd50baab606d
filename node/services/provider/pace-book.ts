import type { Address } from '../../domain/ids.ts'
import type { OfferAsk } from '../../domain/offer-ask.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import { day } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { RecentMap } from './recent-map.ts'

/** Runs of a program that are remembered: the longest of them is what the next is expected to take. */
const RUNS_KEPT = 8
/** Programs that are remembered, the latest first. */
const MAX_PROGRAMS = 10_000
/** How long a program is remembered that does not come again, ms. */
const KEEP_MS: number = 1 * day

/**
 * How long tasks of a program took on this node, for each requester by itself: nobody's short tasks make anybody
 * else's look short. In memory only: after a restart a task is expected to take all its time until its like has run.
 */
export class PaceBook {
  readonly #clock: Pick<Clock, 'now'>
  readonly #runs = new RecentMap<string, readonly number[]>({ keepMs: KEEP_MS, max: MAX_PROGRAMS })

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** What a task is expected to run, ms: the longest of the latest runs, or all that it may. */
  expectedMs(requester: Address, ask: OfferAsk): number {
    const runs = this.#runs.get(keyOf(requester, ask)) ?? [ask.taskTimeoutMs]
    return Math.min(ask.taskTimeoutMs, Math.max(...runs))
  }

  /** Runs a task and remembers how long it took, unless it was cut short: by its end, or as a service by its requester. */
  async during(
    requester: Address,
    ask: OfferAsk,
    run: () => Promise<TaskResult | undefined>,
  ): Promise<TaskResult | undefined> {
    const began = this.#clock.now()
    const result = await run()
    if (result === undefined || result.reason === 'stopped' || !isBillable(result.reason))
      return result
    const key = keyOf(requester, ask)
    const now = this.#clock.now()
    const runs = [...(this.#runs.get(key) ?? []), now - began].slice(-RUNS_KEPT)
    this.#runs.set(key, runs, now)
    return result
  }
}

function keyOf(requester: Address, { image, cpuMillis }: OfferAsk): string {
  return `${requester} ${image} ${cpuMillis}`
}
