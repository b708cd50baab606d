import type { KernelFiles } from './kernel-files.ts'

/** What the control groups above this process leave it. */
export interface CgroupLimits {
  /** Processors' worth of time; absent where there is no quota. */
  readonly cpus?: number
  readonly memoryBytes?: number
  /** Memory not used up yet, in the tightest of the groups. */
  readonly memoryLeftBytes?: number
}

/** Groups nest a few levels deep; this ends the walk on a path that is not one. */
const MAX_DEPTH = 16

/** Limits of this process's control group and all above it (version 2); empty where none are set. */
export async function readCgroupLimits(files: KernelFiles): Promise<CgroupLimits> {
  const groups = await Promise.all(
    ancestors(await ownGroup(files)).map((at) => limitsAt(files, at)),
  )
  const least = (key: keyof CgroupLimits) => {
    const values = groups.flatMap((limits) => limits[key] ?? [])
    return values.length === 0 ? {} : { [key]: Math.min(...values) }
  }
  return { ...least('cpus'), ...least('memoryBytes'), ...least('memoryLeftBytes') }
}

async function ownGroup(files: KernelFiles): Promise<string> {
  const path = /^0::(\/.*)$/m.exec((await files.text('proc/self/cgroup')) ?? '')?.[1] ?? '/'
  // Seen from inside a container the group may lie above what is mounted.
  return path.split('/').includes('..') ? '/' : path
}

function ancestors(group: string): readonly string[] {
  const names = group.split('/').filter((name) => name !== '')
  return Array.from({ length: Math.min(names.length, MAX_DEPTH) + 1 }, (_, depth) =>
    ['sys/fs/cgroup', ...names.slice(0, depth)].join('/'),
  )
}

async function limitsAt(files: KernelFiles, group: string): Promise<CgroupLimits> {
  const [cpu, max, used] = await Promise.all([
    files.text(`${group}/cpu.max`),
    files.number(`${group}/memory.max`),
    files.number(`${group}/memory.current`),
  ])
  const quota = /^(\d{1,12}) (\d{1,12})\s*$/.exec(cpu ?? '')
  const cpus = Number(quota?.[1]) / Number(quota?.[2])
  return {
    ...(Number.isFinite(cpus) && { cpus }),
    ...(max !== undefined && { memoryBytes: max }),
    ...(max !== undefined && used !== undefined && { memoryLeftBytes: Math.max(0, max - used) }),
  }
}
