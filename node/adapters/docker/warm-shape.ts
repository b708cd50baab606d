import type { GpuDevice } from '../../domain/gpu-need.ts'
import { minute } from '../../domain/units.ts'
import type { SandboxLimits, SandboxTask } from '../../ports/sandbox.ts'
import type { TaskFolder } from '../confinement/task-folders.ts'
import type { StockKind } from './warm-stock.ts'

/** All of a task that is fixed once its container exists. Its program, environment, files and stdin are not. */
export interface WarmShape extends StockKind {
  readonly limits: SandboxLimits
  /** Where files will lie and come from; without the files. */
  readonly folders: readonly TaskFolder[]
  readonly outputs: string
  /** The task's own; what waits for any task has none. */
  readonly gpus?: readonly GpuDevice[]
}

/**
 * Longest limit of a task that may take a container made beforehand, ms: as long as a job's own default. What may run
 * longer had better be found again when the node restarts, and that takes a container of its own from the beginning.
 */
const MOST_WALL_MS: number = 10 * minute

/** The shape of a container for one task alone. */
export function ownShapeOf(
  { limits, outputs, gpus = [] }: SandboxTask,
  imageId: string,
  folders: readonly TaskFolder[],
): WarmShape {
  return { key: '', imageId, limits, folders, outputs, gpus }
}

/** The shape of a task whose image the engine knows as `imageId`; `undefined` when nothing can be made beforehand. */
export function shapeOf(
  task: SandboxTask,
  imageId: string,
  folders: readonly TaskFolder[],
): WarmShape | undefined {
  const { limits, outputs, gpus = [], egress, secrets } = task
  const { cpuMillis, memoryBytes, diskBytes, wallMs } = limits
  const isOwn = gpus.length > 0 || egress !== undefined || secrets !== undefined
  if (isOwn || wallMs > MOST_WALL_MS) return undefined
  const targets = folders.map(({ target }) => target).toSorted()
  return {
    key: JSON.stringify([imageId, cpuMillis, memoryBytes, diskBytes, outputs, targets]),
    imageId,
    limits,
    folders: folders.map((folder) => ({ ...folder, files: [] })),
    outputs,
  }
}
