import type { MachineSample } from '../../domain/machine-sample.ts'
import type { MachineSampler } from '../../ports/machine-sampler.ts'
import { minute } from '../../domain/units.ts'
import { readCgroupLimits, type CgroupLimits } from './hardware/cgroup.ts'
import { readDisk } from './hardware/disk.ts'
import { KernelFiles } from './hardware/kernel-files.ts'
import { readMemory } from './hardware/memory.ts'
import { findAmdCards, sampleAmdCard, type AmdCard } from './monitoring/amd-gpus.ts'
import { readCounted, readCounters, type Counted, type Counters } from './monitoring/counters.ts'
import { NvidiaGpus } from './monitoring/nvidia-gpus.ts'
import { findSensors, readHottest } from './monitoring/temperature.ts'

/** Where to look. */
export interface MachineSamplerOptions {
  /** Folder whose file system's free space is told. */
  readonly workDir: string
  /** What stands for `/` when kernel files are read. @default `/` */
  readonly root?: string
  /** Unix ms. @default the machine's clock */
  readonly now?: () => number
}

/** How long what the machine has is taken for granted, ms: only what it does is read each time. */
const DEVICES_MS: number = 1 * minute
const NVIDIA_DRIVER = 'proc/driver/nvidia/version'

/** Samples the machine that this runs on. */
export function createMachineSampler({
  workDir,
  root = '/',
  now = Date.now,
}: MachineSamplerOptions): MachineSampler {
  const files = new KernelFiles(root)
  const nvidia = new NvidiaGpus(files)
  let last: (Counters & { readonly at: number }) | undefined
  let known: (Devices & { readonly at: number }) | undefined
  const devices = async () => {
    const isOld = known === undefined || Math.abs(now() - known.at) >= DEVICES_MS
    if (known === undefined || isOld) known = { ...(await readDevices(files)), at: now() }
    return known
  }
  return {
    async sample() {
      const { limits: kept, counted, sensors, cards, hasNvidia } = await devices()
      // What is left below a limit changes by the moment; where there is none, nothing does.
      const limits = kept.memoryBytes === undefined ? kept : await readCgroupLimits(files)
      const counters = await readCounters(files, counted)
      const memory = await readMemory(files, limits)
      const disk = await readDisk(workDir)
      const temperatureC = await readHottest(files, sensors)
      const amd = await Promise.all(cards.map(async (card) => sampleAmdCard(files, card)))
      const at = now()
      const rates = last === undefined ? {} : ratesOf(last, counters, (at - last.at) / 1000)
      last = { ...counters, at }
      return {
        at,
        ...rates,
        memoryUsedBytes: memory.memoryBytes - memory.memoryAvailableBytes,
        memoryTotalBytes: memory.memoryBytes,
        diskFreeBytes: disk.diskBytes,
        ...(temperatureC !== undefined && { temperatureC }),
        gpus: [...(hasNvidia ? nvidia.latest() : []), ...amd],
        nodeMemoryBytes: process.memoryUsage.rss(),
      }
    },
    [Symbol.asyncDispose]: async () => nvidia[Symbol.asyncDispose](),
  }
}

/** What a machine has, as far as its samples need it. */
interface Devices {
  readonly limits: CgroupLimits
  readonly counted: Counted
  readonly sensors: readonly string[]
  readonly cards: readonly AmdCard[]
  readonly hasNvidia: boolean
}

async function readDevices(files: KernelFiles): Promise<Devices> {
  return {
    limits: await readCgroupLimits(files),
    counted: await readCounted(files),
    sensors: await findSensors(files),
    cards: await findAmdCards(files),
    hasNvidia: await files.exists(NVIDIA_DRIVER),
  }
}

/** What was counted between two readings; a counter that went back (a device that went) tells nothing. */
function ratesOf(before: Counters, after: Counters, seconds: number): Partial<MachineSample> {
  const rate = (name: keyof MachineSample, from: number | undefined, to: number | undefined) => {
    const counted = (to ?? NaN) - (from ?? NaN)
    return counted >= 0 && seconds > 0 ? { [name]: counted / seconds } : {}
  }
  const ticks = (after.cpu?.total ?? NaN) - (before.cpu?.total ?? NaN)
  const busy = (after.cpu?.busy ?? NaN) - (before.cpu?.busy ?? NaN)
  return {
    ...(ticks > 0 && busy >= 0 && { cpu: Math.min(1, busy / ticks) }),
    ...rate('diskReadBytesPerSecond', before.disk?.readBytes, after.disk?.readBytes),
    ...rate('diskWriteBytesPerSecond', before.disk?.writtenBytes, after.disk?.writtenBytes),
    ...rate('networkInBytesPerSecond', before.network?.inBytes, after.network?.inBytes),
    ...rate('networkOutBytesPerSecond', before.network?.outBytes, after.network?.outBytes),
  }
}
