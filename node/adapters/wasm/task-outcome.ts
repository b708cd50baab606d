import { END_REASONS } from '../../domain/receipt.ts'
import type { EndReason } from '../../domain/receipt.ts'
import type {
  OutputStream,
  RunOptions,
  SandboxFile,
  SandboxResult,
  SandboxTask,
} from '../../ports/sandbox.ts'
import type { GuestResult } from './runner/messages.ts'

/** Gathers what one task prints and makes its result; the cap holds even if the runner were taken over. */
export class TaskOutcome {
  readonly #task: SandboxTask
  readonly #onOutput: RunOptions['onOutput']
  readonly #streams: Readonly<Record<OutputStream, Uint8Array[]>> = { 1: [], 2: [] }
  #printed = 0

  constructor(task: SandboxTask, onOutput: RunOptions['onOutput']) {
    this.#task = task
    this.#onOutput = onOutput
  }

  hear(stream: OutputStream, bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#task.limits.outputBytes - this.#printed)
    if (kept.byteLength === 0) return
    this.#printed += kept.byteLength
    this.#streams[stream].push(kept)
    this.#onOutput?.(stream, kept)
  }

  /** The result of a task that the runner ended. */
  ended(result: GuestResult): SandboxResult {
    if (!END_REASONS.includes(result.reason)) return this.failed('start-failed', 'a broken runner')
    const { reason, exitCode, detail, files, wallMs, cpuMs, peakMemoryBytes, fuel } = result
    const { stdin, files: given } = this.#task
    return {
      reason,
      exitCode,
      detail,
      stdout: Buffer.concat(this.#streams[1]),
      stderr: Buffer.concat(this.#streams[2]),
      files,
      usage: {
        wallMs,
        cpuMs,
        peakMemoryBytes,
        bytesIn: total(given, stdin.byteLength),
        bytesOut: total(files, this.#printed),
        ...(fuel !== undefined && { fuel }),
      },
    }
  }

  /** The result of a task that came to nothing. */
  failed(reason: EndReason, detail: string): SandboxResult {
    return this.ended({
      reason,
      detail,
      exitCode: -1,
      files: [],
      wallMs: 0,
      cpuMs: 0,
      peakMemoryBytes: 0,
    })
  }
}

function total(files: readonly SandboxFile[], start: number): number {
  return files.reduce((sum, file) => sum + file.bytes.byteLength, start)
}
