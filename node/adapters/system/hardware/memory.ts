import { freemem, totalmem } from 'node:os'
import type { CgroupLimits } from './cgroup.ts'
import type { KernelFiles } from './kernel-files.ts'

/** The machine's memory, or what its control group leaves this process. */
export interface Memory {
  readonly memoryBytes: number
  readonly memoryAvailableBytes: number
}

/** Total memory and what of it can be had without swapping. */
export async function readMemory(files: KernelFiles, limits: CgroupLimits): Promise<Memory> {
  const text = (await files.text('proc/meminfo')) ?? ''
  const memoryBytes = Math.min(
    bytesOf(text, 'MemTotal') ?? totalmem(),
    limits.memoryBytes ?? Infinity,
  )
  const available = bytesOf(text, 'MemAvailable') ?? freemem()
  return {
    memoryBytes,
    memoryAvailableBytes: Math.min(available, memoryBytes, limits.memoryLeftBytes ?? Infinity),
  }
}

function bytesOf(text: string, name: string): number | undefined {
  const kibibytes = new RegExp(`^${name}:\\s*(\\d{1,12}) kB$`, 'm').exec(text)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}
