import type { LeftTasks, RunOptions, SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import type { RunningTasks } from '../confinement/running-tasks.ts'
import { removeLeftTask, type LeftTask } from './left-tasks.ts'
import type { TaskEngine } from './task-engine.ts'
import { resumeTask } from './task-resume.ts'

/** The tasks that were found running when the sandbox was opened. Disposal ends those that nobody has taken up. */
export class Resumption implements LeftTasks, AsyncDisposable {
  readonly #on: TaskEngine
  readonly #tasks: RunningTasks
  readonly #left: Map<string, LeftTask>

  constructor(
    parts: { readonly on: TaskEngine; readonly tasks: RunningTasks },
    found: readonly LeftTask[],
  ) {
    this.#on = parts.on
    this.#tasks = parts.tasks
    this.#left = new Map(found.map((left) => [left.id, left]))
  }

  get ids(): ReadonlySet<string> {
    return new Set(this.#left.keys())
  }

  async resume(task: SandboxTask, options: RunOptions): Promise<SandboxResult | undefined> {
    const left = this.#take(task.id)
    if (left === undefined) return undefined
    const result = await this.#tasks.take(task, options, (own, progress) =>
      resumeTask(this.#on, left, own, progress),
    )
    if (result === undefined) await this.#remove(left)
    return result
  }

  async end(id: string): Promise<void> {
    const left = this.#take(id)
    if (left !== undefined) await this.#remove(left)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#left.keys()].map((id) => this.end(id)))
  }

  #take(id: string): LeftTask | undefined {
    const left = this.#left.get(id)
    this.#left.delete(id)
    return left
  }

  async #remove(left: LeftTask): Promise<void> {
    await removeLeftTask(this.#on.engine, left)
    await this.#on.cgroups?.remove(left.id)
  }
}
