import { END_REASONS } from '../../domain/receipt.ts'
import type { EndReason } from '../../domain/receipt.ts'
import type {
  OutputStream,
  RunOptions,
  SandboxFile,
  SandboxResult,
  SandboxTask,
} from '../../ports/sandbox.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'
import { MAX_FILE_BYTES, MAX_OUTPUT_FILES } from '../../protocol/limits.ts'
import { CappedOutput } from '../confinement/capped-output.ts'
import type { GuestResult } from './runner/messages.ts'

/** Gathers what one task prints and makes its result; what bounds it holds even if the runner were taken over. */
export class TaskOutcome {
  readonly #task: SandboxTask
  readonly #output: CappedOutput

  constructor(task: SandboxTask, onOutput: RunOptions['onOutput']) {
    this.#task = task
    this.#output = new CappedOutput(task.limits.outputBytes, {
      onOutput: (stream, chunk) => onOutput?.(stream, chunk),
      onFull: () => undefined, // the runner ends the task
    })
  }

  hear(stream: OutputStream, bytes: Uint8Array): void {
    this.#output.push(stream, bytes)
  }

  /** The result of a task that the runner ended. */
  ended(result: GuestResult): SandboxResult {
    if (!END_REASONS.includes(result.reason) || !this.#mayLeave(result.files))
      return this.failed('start-failed', 'a broken runner')
    const { reason, exitCode, detail, files, wallMs, cpuMs, peakMemoryBytes, fuel } = result
    const { stdin, files: given } = this.#task
    const { stdout, stderr } = this.#output
    return {
      reason,
      exitCode,
      detail,
      stdout,
      stderr,
      files,
      usage: {
        wallMs,
        cpuMs,
        peakMemoryBytes,
        bytesIn: total(given, stdin.byteLength),
        bytesOut: total(files, stdout.byteLength + stderr.byteLength),
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

  /** Whether a task of these limits can have left the files. */
  #mayLeave(files: readonly SandboxFile[]): boolean {
    const { outputs, limits, files: given, secrets } = this.#task
    // what was given may have been moved there, free of charge
    const room = limits.diskBytes + total([...given, ...(secrets?.files ?? [])], 0)
    return (
      files.length <= MAX_OUTPUT_FILES &&
      files.every(
        ({ path, bytes }) =>
          path.startsWith(`${outputs}/`) &&
          isSandboxPath(path) &&
          bytes.byteLength <= MAX_FILE_BYTES,
      ) &&
      total(files, 0) <= room
    )
  }
}

function total(files: readonly SandboxFile[], start: number): number {
  return files.reduce((sum, file) => sum + file.bytes.byteLength, start)
}
