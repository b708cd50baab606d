import type { EndReason, Usage } from '../../domain/receipt.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import type { Metered } from './cgroup-meter.ts'
import { MiB } from '../../domain/units.ts'
import type { CappedOutput } from './capped-output.ts'
import type { Collected } from './output-files.ts'

/** How a job ended, as seen from outside. */
export interface RunEnd {
  /** Why we ended it, if we did. */
  readonly cut: EndReason | undefined
  readonly status: number
  readonly isOutOfMemory: boolean
  /** From asking for the start to the end, ms; setting the sandbox up is part of it. */
  readonly wallMs: number
  readonly output: CappedOutput
}

/** How near to its limit a task that was killed must have come for that to be the reason, bytes. */
const MEMORY_SLACK: number = 1 * MiB

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
    ...metered,
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
  { peakMemoryBytes }: Metered,
): { readonly reason: EndReason; readonly detail: string } {
  const { limits } = task
  if (end.cut !== undefined) return { reason: end.cut, detail: cutDetail(end.cut, task) }
  // NOTE: the engine also says so when only a child was killed and the job itself went on to exit; and at times it says nothing
  const isAtLimit = peakMemoryBytes > limits.memoryBytes - MEMORY_SLACK
  if ((end.isOutOfMemory || isAtLimit) && end.status === KILLED_STATUS) {
    return { reason: 'oom', detail: `more than ${limits.memoryBytes} bytes of memory` }
  }
  if (collected.fault !== '') return { reason: 'disk-limit', detail: collected.fault }
  if (collected.isFull && end.status !== 0) {
    return {
      reason: 'disk-limit',
      detail: `the outputs folder was full: ${limits.diskBytes} bytes`,
    }
  }
  return { reason: 'exit', detail: '' }
}

function cutDetail(reason: EndReason, task: SandboxTask): string {
  if (reason === 'timeout') return `not finished after ${task.limits.wallMs} ms`
  if (reason === 'output-limit') return `more than ${task.limits.outputBytes} bytes of output`
  return 'cancelled'
}

function bytesIn(task: SandboxTask): number {
  return task.files.reduce((sum, file) => sum + file.bytes.length, task.stdin.length)
}
