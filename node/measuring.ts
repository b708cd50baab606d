import { createCapacityBenchmark } from './adapters/system/capacity-benchmark.ts'
import { effortProcesses } from './adapters/system/effort-processes.ts'
import type { Hardware } from './domain/advert.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { Requests } from './ports/requests.ts'
import type { Store } from './ports/store.ts'
import { CapacityKeeper } from './services/capacity-keeper.ts'
import { Challenger } from './services/challenge/challenger.ts'
import { Prover } from './services/challenge/prover.ts'
import type { Presence } from './services/presence.ts'
import type { Provider } from './services/provider/provider.ts'

/** What measuring is put together from. */
interface MeasuringParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly requests: Requests
  readonly presence: Presence
  readonly provider: Provider | undefined
}

/** What finds out what machines can do, and tells it. */
export interface Measuring extends AsyncDisposable {
  readonly capacity: CapacityKeeper
  readonly challenger: Challenger
  start(): Promise<void>
}

/** Benchmark and challenges of a node; nothing is measured before `start`. */
export function openMeasuring(
  { clock, logger, store, requests, presence, provider }: MeasuringParts,
  { dataDir, hardware }: { readonly dataDir: string; readonly hardware: Pick<Hardware, 'cores'> },
): Measuring {
  const { cores } = hardware
  const isIdle = () =>
    provider === undefined || (provider.slots.utilisation === 0 && provider.slots.waiting === 0)
  const capacity: CapacityKeeper = new CapacityKeeper(
    {
      clock,
      logger: logger.child('capacity'),
      store,
      benchmark: createCapacityBenchmark({ dir: dataDir, cores }),
      isIdle: () => isIdle() && !prover.busy,
      onScore: (score) => presence.tellScore(score),
    },
    { cores, unasked: provider !== undefined },
  )
  const prover = new Prover({
    clock,
    logger: logger.child('prover'),
    requests,
    effort: effortProcesses,
    isIdle: () => isIdle() && !capacity.measuring,
  })
  const challenger = new Challenger({ clock, requests, effort: effortProcesses }, { cores })
  return {
    capacity,
    challenger,
    async start() {
      prover.start()
      await capacity.start()
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([capacity[Symbol.asyncDispose](), prover[Symbol.asyncDispose]()])
    },
  }
}
