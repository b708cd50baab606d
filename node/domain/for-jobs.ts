import type { LocalGpu } from './gpu-share.ts'
import type { Resources } from './resources.ts'

/** Alike graphics processors that jobs may have. */
export interface JobGpus {
  readonly vendor: string
  /** What a task is promised of each; absent where the driver does not tell. */
  readonly memoryBytes?: number
  readonly count: number
}

/** What of a machine its operator gives to jobs. */
export interface ForJobs extends Omit<Resources, 'gpus'> {
  readonly gpus: readonly JobGpus[]
}

/** The same as others are told, from what its jobs share: `gpus` with what a task is promised of each. */
export function forJobsOf(
  { cpuMillis, memoryBytes, diskBytes }: Resources,
  gpus: readonly LocalGpu[],
): ForJobs {
  const alike = new Map<string, JobGpus>()
  for (const { vendor, memoryBytes: exact } of gpus) {
    const memory = exact === undefined ? {} : { memoryBytes: Math.floor(exact) }
    const key = `${vendor} ${memory.memoryBytes}`
    alike.set(key, { vendor, ...memory, count: (alike.get(key)?.count ?? 0) + 1 })
  }
  return { cpuMillis, memoryBytes, diskBytes, gpus: [...alike.values()] }
}
