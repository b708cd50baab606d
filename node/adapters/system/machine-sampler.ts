import type { MachineSample } from '../../domain/machine-sample.ts'
import type { MachineSampler } from '../../ports/machine-sampler.ts'
import { readCgroupLimits } from './hardware/cgroup.ts'
import { readDisk } from './hardware/disk.ts'
import { KernelFiles } from './hardware/kernel-files.ts'
import { readMemory } from './hardware/memory.ts'
import { readAmdGpus } from './monitoring/amd-gpus.ts'
import { readCounters, type Counters } from './monitoring/counters.ts'
import { NvidiaGpus } from './monitoring/nvidia-gpus.ts'
import { readTemperature } from './monitoring/temperature.ts'

/** Where to look. */
export interface MachineSamplerOptions {
  /** Folder whose file system's free space is told. */
  readonly workDir: string
  /** What stands for `/` when kernel files are read. @default `/` */
  readonly root?: string
  /** Unix ms. @default the machine's clock */
  readonly now?: () => number
}

/** Samples the machine that this runs on. */
export function createMachineSampler({
  workDir,
  root = '/',
  now = Date.now,
}: MachineSamplerOptions): MachineSampler {
  const files = new KernelFiles(root)
  const nvidia = new NvidiaGpus(files)
  let last: (Counters & { readonly at: number }) | undefined
  return {
    async sample() {
      const limits = await readCgroupLimits(files)
      const [counters, memory, disk, temperatureC, amd, others] = await Promise.all([
        readCounters(files),
        readMemory(files, limits),
        readDisk(workDir),
        readTemperature(files),
        readAmdGpus(files),
        nvidia.latest(),
      ])
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
        gpus: [...others, ...amd],
        nodeMemoryBytes: process.memoryUsage.rss(),
      }
    },
    [Symbol.asyncDispose]: async () => nvidia[Symbol.asyncDispose](),
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
