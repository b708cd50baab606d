import type { EndReason, Usage } from '../../domain/receipt.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import type { Metered } from './cgroup-meter.ts'
import { MiB } from '../../domain/units.ts'
import type { CappedOutput } from './capped-output.ts'
import { SCRATCH_INODES } from './job-bounds.ts'
import type { Collected } from './output-files.ts'

/** How a job ended, as seen from outside. */
export interface RunEnd {
  /** Why we ended it, if we did. */
  readonly cut: EndReason | undefined
  readonly status: number
  /**
   * Whether the kernel ended a process of it for want of memory; `undefined` where nobody said so, which of engines does
   * not mean that it did not.
   */
  readonly wasOutOfMemory: boolean | undefined
  /** From asking for the start to the end, ms; setting the sandbox up is part of it. */
  readonly wallMs: number
  readonly output: CappedOutput
}

/** How near to its limit a task that was killed must have come for that to be the reason, bytes. */
const MEMORY_SLACK: number = 1 * MiB

/** Share of its limit that files kept in memory may still have of a task that ran out of it: of its own program. */
const MOST_CACHE = 0.25

/** 128 + SIGKILL: how an exit by the kernel's out-of-memory killer looks. */
export const KILLED_STATUS = 137

/** The result of a task of which nothing ran. */
export function unstarted(task: SandboxTask, reason: EndReason, detail: string): SandboxResult {
  const none = new Uint8Array()
  const used = { wallMs: 0, cpuMs: 0, peakMemoryBytes: 0, bytesOut: 0 }
  const usage = { ...used, bytesIn: bytesIn(task) }
  return { reason, exitCode: -1, detail, stdout: none, stderr: none, files: [], usage }
}

/** The result of a task that ran. */
export function finished(
  task: SandboxTask,
  end: RunEnd,
  collected: Collected,
  metered: Metered,
): SandboxResult {
  const { stdout, stderr } = end.output
  const { reason, detail } = verdict(task, end, collected, metered)
  const filesSize = collected.files.reduce((sum, file) => sum + file.bytes.length, 0)
  const usage: Usage = {
    wallMs: end.wallMs,
    cpuMs: metered.cpuMs,
    // what is counted above the limit is not the task's: Podman's watcher of it is in the same group
    peakMemoryBytes: Math.min(metered.peakMemoryBytes, task.limits.memoryBytes),
    bytesIn: bytesIn(task),
    bytesOut: stdout.length + stderr.length + filesSize,
  }
  const exitCode = reason === 'exit' ? end.status : -1
  return { reason, exitCode, detail, stdout, stderr, files: collected.files, usage }
}

function verdict(
  task: SandboxTask,
  end: RunEnd,
  collected: Collected,
  metered: Metered,
): { readonly reason: EndReason; readonly detail: string } {
  const { limits } = task
  if (end.cut !== undefined) return { reason: end.cut, detail: cutDetail(end.cut, task) }
  if (end.status === KILLED_STATUS && ranOutOfMemory(task, end, metered)) {
    return { reason: 'oom', detail: `more than ${limits.memoryBytes} bytes of memory` }
  }
  if (collected.fault !== '') return { reason: 'disk-limit', detail: collected.fault }
  if (collected.isFull && end.status !== 0) {
    return {
      reason: 'disk-limit',
      detail: `a folder was full: ${limits.diskBytes} bytes, or ${SCRATCH_INODES} files`,
    }
  }
  return { reason: 'exit', detail: '' }
}

/**
 * Whether a task that ended as a killed one does ended for want of memory. Whoever says so is believed, also where it was a
 * child that was ended; who knows that it was not so is as well. Where neither is said the most that it used tells, without
 * what it read of files: that would have been given up first.
 */
function ranOutOfMemory({ limits }: SandboxTask, end: RunEnd, metered: Metered): boolean {
  const said = end.wasOutOfMemory ?? metered.wasOutOfMemory
  if (said !== undefined) return said
  const { peakMemoryBytes, cacheBytes = 0 } = metered
  if (peakMemoryBytes <= limits.memoryBytes - MEMORY_SLACK) return false
  return cacheBytes < limits.memoryBytes * MOST_CACHE
}

function cutDetail(reason: EndReason, task: SandboxTask): string {
  if (reason === 'timeout') return `not finished after ${task.limits.wallMs} ms`
  if (reason === 'output-limit') return `more than ${task.limits.outputBytes} bytes of output`
  return 'cancelled'
}

function bytesIn(task: SandboxTask): number {
  return task.files.reduce((sum, file) => sum + file.bytes.length, task.stdin.length)
}
