import type { Hardware } from '../../../node/domain/advert.ts'
import { forJobsOf } from '../../../node/domain/for-jobs.ts'
import type { JobKind } from '../../../node/domain/job-spec.ts'
import { parseAmount } from '../../../node/domain/money.ts'
import type { PriceList } from '../../../node/domain/pricing.ts'
import type { Resources } from '../../../node/domain/resources.ts'
import { GiB } from '../../../node/domain/units.ts'
import type { Randomness } from '../time/randomness.ts'

/** What one node of a simulation has and asks. */
export interface Machine {
  readonly hardware: Hardware
  readonly kinds: readonly JobKind[]
  readonly resources: Resources
  readonly prices: PriceList
}

const CORES = [2, 4, 4, 8, 8, 16, 32] as const
/** Share of the machines that run images too. */
const WITH_IMAGES = 0.4

/** A machine as chance has it; most are small. */
export function drawMachine(random: Randomness): Machine {
  const cores = random.pick(CORES)
  const kinds: readonly JobKind[] = random.fraction() < WITH_IMAGES ? ['wasm', 'docker'] : ['wasm']
  const [memoryBytes, diskBytes] = [cores * 2 * GiB, cores * 10 * GiB]
  const resources = { cpuMillis: cores * 1000, memoryBytes, diskBytes }
  const hardware: Hardware = {
    cpuModel: 'simulated',
    arch: 'x64',
    cores,
    memoryBytes,
    diskBytes,
    gpus: [],
    forJobs: forJobsOf(resources, []),
    sandboxes: Object.fromEntries(kinds.map((kind) => [kind, 'simulated'])),
  }
  const own = BigInt(Math.round(random.between(700, 1300)))
  const perCoreSecond = (parseAmount('0.0001') * own) / 1000n
  const perTask = (parseAmount('0.001') * own) / 1000n
  return {
    hardware,
    kinds,
    resources,
    prices: { perTask, perCoreSecond, perGpuSecond: 0n, reservedSecondsCap: 60 },
  }
}
