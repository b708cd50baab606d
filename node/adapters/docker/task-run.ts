import type Docker from 'dockerode'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { containerSettings } from './container-settings.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { coldStart, watchContainer } from './container-watch.ts'
import { engineGone, refusalOf } from './engine.ts'
import { collectOutputs } from './output-collection.ts'
import { startFailure } from '../confinement/start-failure.ts'
import { startStep } from './start-step.ts'
import { makeTaskContainer } from './task-container.ts'
import type { TaskEngine } from './task-engine.ts'
import { planFolders } from '../confinement/task-folders.ts'
import { finished, unstarted } from '../confinement/task-result.ts'
import { usableLimits } from '../confinement/usable-limits.ts'

/**
 * Runs one task in a container of its own and removes all that was made for it.
 * @throws HiveError SANDBOX_UNAVAILABLE when the engine is gone
 */
export async function runTask(
  on: TaskEngine,
  given: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const task = { ...given, limits: usableLimits(given.limits) }
  try {
    return await attempt(on, task, progress)
  } catch (error) {
    const failure = startFailure(task, error)
    if (failure === undefined) throw engineGone(error)
    return failure
  }
}

async function attempt(
  on: TaskEngine,
  task: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const { signal } = progress
  const cancelled = () => unstarted(task, 'killed', 'cancelled before it started')
  if (signal.aborted) return cancelled()
  const folders = planFolders(task)
  const imageId = await on.images.ensure(task.image)
  if (signal.aborted) return cancelled()
  await using made = await makeTaskContainer(on, {
    ...task,
    folders,
    create: (plan) => createContainer(on, task, containerSettings(task, { ...plan, imageId })),
  })
  const { container, usage } = made
  await made.fill(folders)
  if (signal.aborted) return cancelled()
  const start = coldStart(container, task, () => usage.follow(container))
  const end = await watchContainer(container, task, progress, start)
  const collected = await collectOutputs(container, task)
  return finished(task, end, collected, await usage.read())
}

/** A container from the image; one that the engine has dropped since is loaded once more. */
async function createContainer(
  on: TaskEngine,
  task: SandboxTask,
  settings: Docker.ContainerCreateOptions,
): Promise<Docker.Container> {
  try {
    return await on.engine.createContainer(settings)
  } catch (error) {
    if (refusalOf(error)?.status !== 404) return await startStep(Promise.reject(error as Error))
    on.images.forget(task.image.id)
    await on.images.ensure(task.image)
    return await startStep(on.engine.createContainer(settings))
  }
}
