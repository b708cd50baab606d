import { HiveError } from '../../domain/errors.ts'
import type { JobKind } from '../../domain/job-spec.ts'
import type { TaskUse } from '../../domain/machine-sample.ts'
import type { RunOptions, SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import type {
  Attach,
  AttachOptions,
  ExecProgram,
  ExecSession,
  TaskConnection,
} from '../../ports/attach.ts'
import type { Metered } from './cgroup-meter.ts'
import { unstarted } from './task-result.ts'

/** What a run tells while it goes on. */
export interface RunProgress extends RunOptions {
  /** The job's own process runs. */
  readonly onStarted: () => void
  /** How to find out, from now to the end of the run, what the job has used so far. */
  readonly onMeter?: (read: () => Promise<Metered>) => void
  /** How to get inside the job, from now to the end of the run. */
  readonly onInside?: (inside: Inside) => void
}

/** The ways into one task that runs, as {@link Attach} has them; what is left out cannot be done. */
export interface Inside {
  readonly exec?: (program: ExecProgram, options: AttachOptions) => Promise<ExecSession>
  readonly connect?: (port: number, options: AttachOptions) => Promise<TaskConnection>
}

/** Runs a task to its end, or to its signal's. */
export type TaskRunner = (task: SandboxTask, progress: RunProgress) => Promise<SandboxResult>

/** The tasks of one sandbox. Disposal ends those that run, waits for them, and takes no more. */
export class RunningTasks implements AsyncDisposable {
  readonly #kind: JobKind
  readonly #runner: TaskRunner
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #meters = new Map<string, () => Promise<Metered>>()
  readonly #insides = new Map<string, Inside>()

  constructor(parts: { readonly kind: JobKind; readonly runner: TaskRunner }) {
    this.#kind = parts.kind
    this.#runner = parts.runner
  }

  /** The ways into the tasks that run. */
  get attach(): Attach {
    return {
      exec: async (taskId, program, options) => {
        const { exec } = this.#inside(taskId)
        if (exec === undefined) throw new HiveError('ATTACH_UNSUPPORTED', { way: 'exec' })
        return await exec(program, options)
      },
      connect: async (taskId, port, options) => {
        const { connect } = this.#inside(taskId)
        if (connect === undefined) throw new HiveError('ATTACH_UNSUPPORTED', { way: 'forward' })
        return await connect(port, options)
      },
    }
  }

  /** What a task has used so far; `undefined` unless it runs. */
  async usage(taskId: string): Promise<TaskUse | undefined> {
    const metered = await this.#meters.get(taskId)?.()
    if (metered === undefined) return undefined
    const { cpuMs, peakMemoryBytes, memoryBytes = peakMemoryBytes } = metered
    return { cpuMs, memoryBytes }
  }

  /** @throws HiveError SANDBOX_UNAVAILABLE after disposal, and what the runner throws */
  async run(task: SandboxTask, options: RunOptions): Promise<SandboxResult> {
    return await this.take(task, options, this.#runner)
  }

  /** As {@link run}, by another way than this sandbox's own. */
  async take<R>(
    task: SandboxTask,
    options: RunOptions,
    runner: (task: SandboxTask, progress: RunProgress) => Promise<R>,
  ): Promise<R | SandboxResult> {
    if (this.#closing.signal.aborted) {
      throw new HiveError('SANDBOX_UNAVAILABLE', { kind: this.#kind })
    }
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    const abandoned = Promise.withResolvers<SandboxResult>()
    let isAbandoned = false
    let hasStarted = false
    const onAbort = () => {
      if (hasStarted) return
      isAbandoned = true
      abandoned.resolve(unstarted(task, 'killed', 'cancelled before it started'))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const work = runner(task, {
      signal,
      onOutput: (stream, chunk) => {
        if (isAbandoned) return
        hasStarted = true
        options.onOutput?.(stream, chunk)
      },
      onStarted: () => {
        hasStarted = true
      },
      onMeter: (read) => {
        if (!isAbandoned) this.#meters.set(task.id, read)
      },
      onInside: (inside) => {
        if (!isAbandoned) this.#insides.set(task.id, inside)
      },
    })
    const settled = work.then(
      () => undefined,
      () => undefined, // whoever waits for the run hears of it
    )
    this.#running.add(settled)
    try {
      // what is still loading or preparing cannot be hurried; its work is awaited at disposal
      return await Promise.race([work, abandoned.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#meters.delete(task.id)
      this.#insides.delete(task.id)
      void settled.then(() => this.#running.delete(settled))
    }
  }

  /**
   * Waits for work that makes something ready, no longer than until the signal aborts; disposal waits for all of it.
   * @throws HiveError CANCELLED, and what the work throws
   */
  async ready(work: () => Promise<unknown>, { signal }: Pick<RunOptions, 'signal'>): Promise<void> {
    if (this.#closing.signal.aborted)
      throw new HiveError('SANDBOX_UNAVAILABLE', { kind: this.#kind })
    const either = AbortSignal.any([signal, this.#closing.signal])
    const { promise: abandoned, reject } = Promise.withResolvers<never>()
    const onAbort = () => reject(new HiveError('CANCELLED', {}, { cause: either.reason }))
    if (either.aborted) throw new HiveError('CANCELLED', {}, { cause: either.reason })
    either.addEventListener('abort', onAbort, { once: true })
    const working = work()
    const settled = working.then(
      () => undefined,
      () => undefined, // whoever waits for it hears of it
    )
    this.#running.add(settled)
    try {
      await Promise.race([working, abandoned])
    } finally {
      either.removeEventListener('abort', onAbort)
      void settled.then(() => this.#running.delete(settled))
    }
  }

  #inside(taskId: string): Inside {
    const inside = this.#insides.get(taskId)
    if (inside === undefined) throw new HiveError('TASK_NOT_RUNNING', { task: taskId })
    return inside
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running)
  }
}
