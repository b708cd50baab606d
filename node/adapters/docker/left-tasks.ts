import { LABELS } from './container-settings.ts'
import { refusalOf, unlessGone, type Engine } from './engine.ts'
import { runPrefix } from './task-engine.ts'
import { isTaskLog } from './task-log.ts'

/** A task that runs though the node that started it does not. */
export interface LeftTask {
  readonly id: string
  /** The engine's id of its container. */
  readonly container: string
  /** Start of the names of what was made for it. */
  readonly prefix: string
}

/** The tasks that an earlier life of this node left running here and that can be taken up again. */
export async function findLeftTasks(engine: Engine, nodeId: string): Promise<readonly LeftTask[]> {
  const filters = { label: [`${LABELS.node}=${nodeId}`, LABELS.task] }
  const running = await engine.listContainers({ filters })
  const found = await Promise.all(
    running.map(async ({ Id: container, Labels: labels, Names: names }) => {
      const id = labels[LABELS.task] ?? ''
      const prefix = runPrefix({ nodeId }, { id })
      const isTask = names.includes(`/${prefix}`) && (await isResumable(engine, container))
      return isTask ? { id, container, prefix } : undefined
    }),
  )
  return found.filter((each) => each !== undefined)
}

/** Ends a task and removes all that was made for it, but for its control group. */
export async function removeLeftTask(engine: Engine, left: LeftTask): Promise<void> {
  await unlessGone(engine.getContainer(left.container).remove({ force: true, v: true }))
  const { Volumes: volumes } = await engine.listVolumes({ filters: { name: [left.prefix] } })
  await Promise.all((volumes ?? []).map(({ Name }) => unlessGone(engine.getVolume(Name).remove())))
}

/** Whether the task got all of its input and lost none of its output when the node that started it died. */
async function isResumable(engine: Engine, container: string): Promise<boolean> {
  try {
    const {
      Config: config,
      HostConfig: host,
      State: state,
    } = await engine.getContainer(container).inspect()
    // its stdin came through the node, and so did a network: both may have ended in the middle; and which GPUs are
    // whose is only known to the node that gave them
    const isOnItsOwn =
      !config.OpenStdin &&
      host.NetworkMode === 'none' &&
      (host.DeviceRequests ?? []).length === 0 &&
      (host.Devices ?? []).length === 0
    return state.Running && isOnItsOwn && isTaskLog(host.LogConfig)
  } catch (error) {
    if (refusalOf(error)?.status === 404) return false
    throw error
  }
}
