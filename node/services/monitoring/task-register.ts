import { HiveError } from '../../domain/errors.ts'
import type { RunningTask } from '../../domain/machine-sample.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'

/** What matters of a task to who wants to get inside. */
export interface TaskLife {
  readonly kind: string
  /** Aborts when it ends. */
  readonly end: AbortSignal
  readonly isDeterministic: boolean
}

/** The tasks under way on this node. */
export class TaskRegister {
  readonly #running = new Map<string, RunningTask>()
  readonly #lives = new Map<string, TaskLife>()

  /** In the order in which they began. */
  get all(): readonly RunningTask[] {
    return [...this.#running.values()]
  }

  /** What else is known of a task under way. */
  lifeOf(id: string): TaskLife | undefined {
    return this.#lives.get(id)
  }

  /** Counts a task as under way for as long as `work` is. */
  async during<T>(
    { id, limits, seed }: Pick<SandboxTask, 'id' | 'limits' | 'seed'>,
    what: Pick<RunningTask, 'agreement' | 'index' | 'kind' | 'startedAt'>,
    work: () => Promise<T>,
  ): Promise<T> {
    const { cpuMillis, memoryBytes } = limits
    this.#running.set(id, { id, ...what, cpuMillis, memoryBytes })
    const end = new AbortController()
    const { kind } = what
    this.#lives.set(id, { kind, end: end.signal, isDeterministic: seed !== undefined })
    try {
      return await work()
    } finally {
      end.abort(new HiveError('TASK_NOT_RUNNING', { task: id }))
      this.#lives.delete(id)
      this.#running.delete(id)
    }
  }
}
