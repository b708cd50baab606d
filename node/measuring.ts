import { createCapacityBenchmark } from './adapters/system/capacity-benchmark.ts'
import { effortProcesses } from './adapters/system/effort-processes.ts'
import { createMachineSampler } from './adapters/system/machine-sampler.ts'
import type { Hardware } from './domain/advert.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { Requests } from './ports/requests.ts'
import type { Sandbox } from './ports/sandbox.ts'
import type { Store } from './ports/store.ts'
import { CapacityKeeper } from './services/capacity-keeper.ts'
import { Challenger } from './services/challenge/challenger.ts'
import { Prover } from './services/challenge/prover.ts'
import { Monitor } from './services/monitoring/monitor.ts'
import type { TaskRegister } from './services/monitoring/task-register.ts'
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
  readonly sandboxes: readonly Sandbox[]
  readonly running: TaskRegister
}

/** What finds out what machines can do, and tells it. */
export interface Measuring extends AsyncDisposable {
  readonly capacity: CapacityKeeper
  readonly challenger: Challenger
  readonly monitor: Monitor
  start(): Promise<void>
}

/** Benchmark, challenges and monitoring of a node; nothing is measured before `start`. */
export function openMeasuring(
  { clock, logger, store, requests, presence, provider, sandboxes, running }: MeasuringParts,
  { dataDir, hardware }: { readonly dataDir: string; readonly hardware: Pick<Hardware, 'cores'> },
): Measuring {
  const { cores } = hardware
  const isIdle = () => provider === undefined || provider.slots.load === 0
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
  const monitor = new Monitor({
    clock,
    logger: logger.child('monitor'),
    sampler: createMachineSampler({ workDir: dataDir }),
    running,
    useOf: async ({ kind, id }) => sandboxes.find((each) => each.kind === kind)?.usage?.(id),
  })
  return {
    capacity,
    challenger,
    monitor,
    async start() {
      prover.start()
      monitor.start()
      await capacity.start()
    },
    async [Symbol.asyncDispose]() {
      const all = [capacity, prover, monitor]
      await Promise.all(all.map(async (each) => each[Symbol.asyncDispose]()))
    },
  }
}
