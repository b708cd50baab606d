import { availableParallelism } from 'node:os'
import { HiveError } from '../../domain/errors.ts'
import type { TaskUse } from '../../domain/machine-sample.ts'
import { GiB, MiB, second } from '../../domain/units.ts'
import type { Logger } from '../../ports/logger.ts'
import type { RunOptions, Sandbox, SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { MAX_FILE_BYTES, MAX_OUTPUT_FILES, MAX_PATH_CHARS } from '../../protocol/limits.ts'
import { abortable } from './abortable.ts'
import { ISOLATIONS, runnerCommands, type Isolation, type RunnerCommand } from './runner-command.ts'
import { RunnerSession } from './runner-session.ts'
import type { GuestTask, ModuleForm } from './runner/messages.ts'
import { TaskOutcome } from './task-outcome.ts'
import { PAGE_BYTES } from './wasi/guest-memory.ts'

/** What the sandbox needs of the node. */
export interface WasmSandboxParts {
  readonly logger: Logger
}

/** How the sandbox runs; the defaults are `WASM_SANDBOX_DEFAULTS`. */
export interface WasmSandboxOptions {
  /** Tasks that run at once; more wait in order. */
  readonly threads?: number
  /** Module bytes whose compiled code is kept. */
  readonly moduleCacheBytes?: number
  /** Most disk of any task: the files live in memory and come back in one message. */
  readonly maxDiskBytes?: number
  /** How long a runner may take to start, ms. */
  readonly startTimeoutMs?: number
  /** The kinds of isolation to try, best first. */
  readonly isolations?: readonly Isolation[]
}

export const WASM_SANDBOX_DEFAULTS: Required<WasmSandboxOptions> = {
  threads: availableParallelism(),
  moduleCacheBytes: 512 * MiB,
  maxDiskBytes: 1 * GiB,
  startTimeoutMs: 20 * second,
  isolations: ISOLATIONS,
}

/**
 * Starts a runner in the best isolation that works here. Throws SANDBOX_UNAVAILABLE when none does.
 *
 * Ends as the port names them, with three things only WASM has: a trap is `exit` with code 134 and
 * the trap as detail; a trap with the memory full is `oom`, while a program that handles a refused
 * allocation keeps its own exit code; and one task never uses more than one core.
 */
export async function openWasmSandbox(
  parts: WasmSandboxParts,
  options: WasmSandboxOptions = {},
): Promise<Sandbox> {
  const all = { ...WASM_SANDBOX_DEFAULTS, ...options }
  const causes: unknown[] = []
  const commands = all.isolations.flatMap((isolation) => runnerCommands(isolation, all.threads))
  for (const command of commands) {
    const sandbox = new WasmSandbox(parts, all, command)
    try {
      await sandbox.start()
      return sandbox
    } catch (cause) {
      const { isolation, command: program } = command
      parts.logger.warn('isolation does not work here', { isolation, program, why: whyOf(cause) })
      causes.push(cause)
    }
  }
  throw new HiveError(
    'SANDBOX_UNAVAILABLE',
    { kind: 'wasm' },
    { cause: new AggregateError(causes) },
  )
}

class WasmSandbox implements Sandbox {
  readonly kind = 'wasm'
  readonly isolation: Isolation
  readonly maxDiskBytes: number
  readonly #logger: Logger
  readonly #options: Required<WasmSandboxOptions>
  readonly #command: RunnerCommand
  readonly #runs = new Set<Promise<SandboxResult>>()
  #session: Promise<RunnerSession> | undefined
  #open: RunnerSession | undefined
  #closed = false

  constructor(
    { logger }: WasmSandboxParts,
    options: Required<WasmSandboxOptions>,
    command: RunnerCommand,
  ) {
    this.#logger = logger.child('wasm')
    this.#options = options
    this.#command = command
    this.isolation = command.isolation
    this.maxDiskBytes = options.maxDiskBytes
  }

  holds(imageId: string): boolean {
    return this.#open?.holds(imageId) ?? false
  }

  async usage(taskId: string): Promise<TaskUse | undefined> {
    return await this.#open?.usage(taskId)
  }

  async run(task: SandboxTask, options: RunOptions): Promise<SandboxResult> {
    if (this.#closed) throw new HiveError('SANDBOX_UNAVAILABLE', { kind: this.kind })
    const running = this.#run(task, options)
    this.#runs.add(running)
    try {
      return await running
    } finally {
      this.#runs.delete(running)
    }
  }

  /** The runner, started again if the last one ended. */
  async start(): Promise<RunnerSession> {
    this.#session ??= this.#begin()
    return await this.#session
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    // A start that fails has nothing to dispose of, and its own caller hears of it.
    const session = await this.#session?.catch(() => undefined)
    await session?.[Symbol.asyncDispose]()
    await Promise.allSettled(this.#runs)
  }

  async #begin(): Promise<RunnerSession> {
    try {
      const session = await RunnerSession.open(this.#command, this.#options, (gone, why) => {
        if (this.#open !== gone) return
        this.#open = this.#session = undefined
        if (!this.#closed)
          this.#logger.error('the WASM runner ended; the next task restarts it', { why })
      })
      this.#open = session
      return session
    } catch (error) {
      this.#session = undefined
      throw error
    }
  }

  async #run(task: SandboxTask, { signal, onOutput }: RunOptions): Promise<SandboxResult> {
    const outcome = new TaskOutcome(task, onOutput)
    try {
      if (signal.aborted) return outcome.failed('killed', 'cancelled before it started')
      if (task.egress?.length) return outcome.failed('start-failed', 'modules have no sockets')
      if (task.limits.diskBytes > this.maxDiskBytes)
        return outcome.failed('start-failed', `modules have ${this.maxDiskBytes} bytes of disk`)
      const session = await abortable(this.start(), signal)
      const acquired = session.acquire(task.image, formFor(task))
      let key
      try {
        key = await abortable(acquired, signal)
      } catch (error) {
        // Others may wait for the same load, so it goes on; what it takes into use is given back.
        void acquired.then(
          (late) => {
            session.release(late)
          },
          () => {},
        )
        throw error
      }
      try {
        const hear = outcome.hear.bind(outcome)
        return outcome.ended(await session.run(key, task.id, this.#guest(task), hear, signal))
      } finally {
        session.release(key)
      }
    } catch (error) {
      return this.#failure(outcome, error)
    }
  }

  #guest({ args, env, stdin, files, secrets, outputs, limits, seed }: SandboxTask): GuestTask {
    return {
      args,
      env: { ...env, ...secrets?.env },
      stdin,
      files: [...files, ...(secrets?.files ?? [])],
      outputs,
      ...(seed !== undefined && { seed }),
      limits: {
        cpuMillis: limits.cpuMillis,
        wallMs: limits.wallMs,
        ...(limits.fuel !== undefined && { fuel: limits.fuel }),
        outputBytes: limits.outputBytes,
        diskBytes: limits.diskBytes,
        maxFiles: MAX_OUTPUT_FILES,
        maxFileBytes: MAX_FILE_BYTES,
        maxPathChars: MAX_PATH_CHARS,
      },
    }
  }

  #failure(outcome: TaskOutcome, error: unknown): SandboxResult {
    if (!(error instanceof HiveError)) throw error
    if (this.#closed) return outcome.failed('killed', 'the sandbox was closed')
    if (error.code === 'CANCELLED') return outcome.failed('killed', 'cancelled before it started')
    if (error.code === 'IMAGE_INVALID') return outcome.failed('image-bad', whyOf(error))
    if (error.code === 'TASK_START_FAILED') return outcome.failed('start-failed', whyOf(error))
    throw error
  }
}

/** A module is rewritten only for what plain V8 cannot do. */
function formFor({ limits, seed }: SandboxTask): ModuleForm {
  const metered = limits.fuel === undefined ? 'plain' : 'metered'
  return {
    maxPages: Math.floor(limits.memoryBytes / PAGE_BYTES),
    mode: seed === undefined ? metered : 'deterministic',
  }
}

function whyOf(error: unknown): string {
  if (error instanceof HiveError) return String(error.data['why'] ?? error.code)
  return error instanceof Error ? error.message : String(error)
}
