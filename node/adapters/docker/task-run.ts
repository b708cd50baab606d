import type Docker from 'dockerode'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { containerSettings } from './container-settings.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { watchContainer } from './container-watch.ts'
import { engineGone, refusalOf, unlessGone } from './engine.ts'
import { collectOutputs } from './output-collection.ts'
import { startFailure } from '../confinement/start-failure.ts'
import { startStep } from './start-step.ts'
import { runLabels, runPrefix, type TaskEngine } from './task-engine.ts'
import { finished, unstarted } from '../confinement/task-result.ts'
import { openUsage } from './task-usage.ts'
import { makeVolumes } from './task-volumes.ts'
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
  if (signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  await using made = new AsyncDisposableStack()
  const imageId = await on.images.ensure(task.image)
  if (signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  const labels = runLabels(on, task)
  const prefix = runPrefix(on, task)
  const usage = made.use(openUsage(on.cgroups, task))
  const { engine, helper } = on
  const volumes = made.use(await startStep(makeVolumes({ engine, helper, prefix, labels }, task)))
  const plan = {
    imageId,
    runtime: on.runtime,
    labels,
    mounts: volumes.mounts,
    cgroupParent: usage.cgroupParent,
  }
  const creating = createContainer(on, task, containerSettings(task, plan))
  made.defer(async () => {
    const [created] = await Promise.allSettled([creating])
    const removal =
      created.status === 'fulfilled' ? created.value.remove({ force: true, v: true }) : undefined
    await Promise.all([removal && unlessGone(removal), volumes.release()])
  })
  const [container] = await Promise.all([creating, startStep(volumes.hold())])
  await startStep(volumes.fill(container))
  if (signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  const end = await watchContainer(container, task, progress, async () => {
    await usage.follow(container)
  })
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
