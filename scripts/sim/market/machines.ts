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
/** Shares of the machines whose operators say where they are, and that give a GPU to jobs. */
const WITH_REGION = 0.7
const WITH_GPU = 0.15
const REGIONS = ['eu-west', 'eu-central', 'us-east', 'us-west', 'ap-south'] as const
/** Cards as they are common, memory in GiB. */
const CARDS = [
  ['nvidia', 8],
  ['nvidia', 12],
  ['nvidia', 16],
  ['nvidia', 24],
  ['nvidia', 80],
  ['amd', 16],
] as const

/** A machine as chance has it; most are small. `equipment` decides about what simulated jobs do not ask for. */
export function drawMachine(random: Randomness, equipment: Randomness): Machine {
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
    ...drawEquipment(resources, equipment),
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

/** What a machine announces besides what it runs. */
function drawEquipment(
  resources: Resources,
  random: Randomness,
): Pick<Hardware, 'gpus' | 'forJobs' | 'region'> {
  const region = random.fraction() < WITH_REGION ? { region: random.pick(REGIONS) } : {}
  const [vendor, memoryGiB] = random.pick(CARDS)
  const memoryBytes = memoryGiB * GiB
  const hasGpu = random.fraction() < WITH_GPU
  const gpus = hasGpu ? [{ vendor, model: 'simulated', memoryBytes, count: 1 }] : []
  const forJobs = {
    ...forJobsOf(resources, []),
    gpus: gpus.map(({ vendor, memoryBytes, count }) => ({ vendor, memoryBytes, count })),
  }
  return { gpus, forJobs, ...region }
}
