import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { containerSettings } from './container-settings.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { networkIn } from './container-inside.ts'
import { coldStart, watchContainer } from './container-watch.ts'
import { engineGone, refusalOf } from './engine.ts'
import { collectOutputs } from './output-collection.ts'
import { startFailure } from '../confinement/start-failure.ts'
import { startStep } from './start-step.ts'
import { makeTaskContainer, type TaskPlan } from './task-container.ts'
import type { TaskEngine } from './task-engine.ts'
import { planFolders, type TaskFolder } from '../confinement/task-folders.ts'
import { finished, unstarted } from '../confinement/task-result.ts'
import type { WarmContainers } from './warm-containers.ts'
import { ownShapeOf, shapeOf, type WarmShape } from './warm-shape.ts'
import { usableLimits } from '../confinement/usable-limits.ts'

/** An engine, and the containers that wait on it. */
export interface WarmEngine extends TaskEngine {
  readonly warm: WarmContainers
}

/**
 * Runs one task in a container of its own and removes all that was made for it.
 * @throws HiveError SANDBOX_UNAVAILABLE when the engine is gone
 */
export async function runTask(
  on: WarmEngine,
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
  on: WarmEngine,
  task: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const { signal } = progress
  const cancelled = () => unstarted(task, 'killed', 'cancelled before it started')
  if (signal.aborted) return cancelled()
  const folders = planFolders(task)
  const imageId = await on.images.ensure(task.image)
  if (signal.aborted) return cancelled()
  if (Object.keys(task.secrets?.env ?? {}).length > 0) {
    return await runTold(on, task, ownShapeOf(task, imageId, folders), progress)
  }
  const shape = shapeOf(task, imageId, folders)
  const warm = shape && on.warm.take(shape)
  if (warm !== undefined) {
    await using taken = warm
    const result = await taken.run(task, folders, progress)
    if (result !== undefined) return result
  }
  // what could not be launched there says here why
  return await runCold(on, task, { imageId, folders, progress })
}

interface ColdRun {
  readonly imageId: string
  readonly folders: readonly TaskFolder[]
  readonly progress: RunProgress
}

/** Runs the task in a container made for it alone. */
async function runCold(
  on: TaskEngine,
  task: SandboxTask,
  { imageId, folders, progress }: ColdRun,
): Promise<SandboxResult> {
  await using made = await makeTaskContainer(on, {
    ...task,
    folders,
    create: (plan) => createContainer(on, task, imageId, plan),
  })
  const { container, usage } = made
  await made.fill(folders)
  progress.onMeter?.(() => usage.read())
  if (progress.signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  const follow = () => usage.follow(container)
  const start = coldStart(container, task, { follow, network: networkIn(on, container) })
  const end = await watchContainer(container, task, progress, start)
  const collected = await collectOutputs(container, task)
  return finished(task, end, collected, await usage.read())
}

/** Runs the task in a container that is told its environment over stdin: settings lie on the engine's disk. */
async function runTold(
  on: WarmEngine,
  task: SandboxTask,
  shape: WarmShape,
  progress: RunProgress,
): Promise<SandboxResult> {
  await using container = await withImage(on, task, () => on.warm.make(shape, on))
  const result = await container.run(task, planFolders(task), progress)
  if (result !== undefined) return result
  throw new HiveError('TASK_START_FAILED', { said: 'its program cannot be found or executed' })
}

/** A container from the image; one that the engine has dropped since is loaded once more. */
async function createContainer(
  on: TaskEngine,
  task: SandboxTask,
  imageId: string,
  plan: TaskPlan,
): Promise<Docker.Container> {
  return await withImage(on, task, async () => {
    const { env: imageEnv } = await on.programs.of(imageId)
    return await on.engine.createContainer(containerSettings(task, { ...plan, imageId, imageEnv }))
  })
}

/** A step that takes the image; when the engine has dropped it since, it is loaded and the step tried once more. */
async function withImage<T>(on: TaskEngine, task: SandboxTask, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (refusalOf(error)?.status !== 404) return await startStep(Promise.reject(error as Error))
    on.images.forget(task.image.id)
    await on.images.ensure(task.image)
    return await startStep(step())
  }
}
