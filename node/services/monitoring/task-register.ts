import type { RunningTask } from '../../domain/machine-sample.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'

/** The tasks under way on this node. */
export class TaskRegister {
  readonly #running = new Map<string, RunningTask>()

  /** In the order in which they began. */
  get all(): readonly RunningTask[] {
    return [...this.#running.values()]
  }

  /** Counts a task as under way for as long as `work` is. */
  async during<T>(
    { id, limits }: Pick<SandboxTask, 'id' | 'limits'>,
    what: Pick<RunningTask, 'agreement' | 'index' | 'kind' | 'startedAt'>,
    work: () => Promise<T>,
  ): Promise<T> {
    const { cpuMillis, memoryBytes } = limits
    this.#running.set(id, { id, ...what, cpuMillis, memoryBytes })
    try {
      return await work()
    } finally {
      this.#running.delete(id)
    }
  }
}
