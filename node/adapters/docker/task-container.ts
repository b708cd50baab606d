import type Docker from 'dockerode'
import type { SandboxLimits } from '../../ports/sandbox.ts'
import type { TaskFolder } from '../confinement/task-folders.ts'
import type { ContainerPlan } from './container-settings.ts'
import { unlessGone } from './engine.ts'
import { startStep } from './start-step.ts'
import { runLabels, runPrefix, type TaskEngine } from './task-engine.ts'
import { openUsage, type TaskUsage } from './task-usage.ts'
import { makeVolumes } from './task-volumes.ts'

/** What of a container's plan does not depend on its image. */
export type TaskPlan = Omit<ContainerPlan, 'imageId' | 'imageEnv' | 'launcher'>

/** What a container is made for. */
export interface ContainerNeed {
  /** Unique on this node; labels, names and the counting of use follow from it. */
  readonly id: string
  readonly limits: SandboxLimits
  readonly folders: readonly TaskFolder[]
  /** Asks the engine for the container itself, not started. */
  create(plan: TaskPlan): Promise<Docker.Container>
}

/** A container that has not started, with everything that a task gets. Disposal removes all of it, whatever became of it. */
export interface TaskContainer extends AsyncDisposable {
  readonly container: Docker.Container
  readonly usage: TaskUsage
  /** Puts the files of these folders in place. */
  readonly fill: (folders: readonly TaskFolder[]) => Promise<void>
}

/**
 * Makes the container and its volumes.
 * @throws HiveError TASK_START_FAILED; the engine's own error when it is gone
 */
export async function makeTaskContainer(
  on: TaskEngine,
  need: ContainerNeed,
): Promise<TaskContainer> {
  const { engine, helper } = on
  await using made = new AsyncDisposableStack()
  const labels = runLabels(on, need)
  const usage = made.use(openUsage(on.cgroups, need.id))
  const name = runPrefix(on, need)
  const parts = { engine, helper, dialect: on.dialect, prefix: name, labels }
  const making = makeVolumes(parts, need.folders, need.limits.diskBytes)
  const volumes = made.use(await startStep(making))
  const { mounts } = volumes
  const { cgroupParent } = usage
  const { runtime, networkOf } = on
  const plan = { gpus: on.gpus, dialect: on.dialect, name, runtime, labels, mounts, cgroupParent }
  const creating = need.create({ ...plan, ...(networkOf !== undefined && { networkOf }) })
  made.defer(async () => {
    const [created] = await Promise.allSettled([creating])
    const removal =
      created.status === 'fulfilled' ? created.value.remove({ force: true, v: true }) : undefined
    await Promise.all([removal && unlessGone(removal), volumes.release()])
  })
  const [container] = await Promise.all([creating, startStep(volumes.hold())])
  const owned = made.move()
  return {
    container,
    usage,
    fill: (folders) => startStep(volumes.fill(container, folders)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
