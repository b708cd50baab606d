import { hour, MiB } from '../../domain/units.ts'
import type { SandboxLimits } from '../../ports/sandbox.ts'

/** Least memory that the engine takes, bytes. Source: Engine API, HostConfig.Memory. */
const LEAST_MEMORY_BYTES: number = 6 * MiB
/** Least share of a core that the engine takes, thousandths. Source: Engine API, HostConfig.NanoCpus. */
const LEAST_CPU_MILLIS = 10
/** One page; a folder in memory cannot be smaller. */
const LEAST_DISK_BYTES = 4096
/** Longest run, ms: 24 days. A timer takes anything above 2^31 - 1 for nothing at all. */
const MOST_WALL_MS: number = 24 * 24 * hour

/** The limits as the engine and the kernel will keep them: to both of them a zero means no limit, never none at all. */
export function usableLimits(limits: SandboxLimits): SandboxLimits {
  return {
    cpuMillis: Math.max(LEAST_CPU_MILLIS, limits.cpuMillis),
    memoryBytes: Math.max(LEAST_MEMORY_BYTES, limits.memoryBytes),
    diskBytes: Math.max(LEAST_DISK_BYTES, limits.diskBytes),
    wallMs: Math.min(MOST_WALL_MS, limits.wallMs),
    outputBytes: Math.max(0, limits.outputBytes),
  }
}
