import { createHash } from 'node:crypto'
import type { SandboxTask } from '../../ports/sandbox.ts'
import type { CgroupMeter } from '../confinement/cgroup-meter.ts'
import { LABELS } from './container-settings.ts'
import type { Dialect } from './dialect.ts'
import type { Engine } from './engine.ts'
import type { ImagePrograms } from './image-programs.ts'
import type { GpuAccess } from './gpu-settings.ts'
import type { Image } from '../image/image-archive.ts'
import type { ImageStore } from '../image/image-store.ts'

/** What running a task needs of one open sandbox. */
export interface TaskEngine {
  readonly engine: Engine
  readonly images: ImageStore
  /** What the engine knows of an image's program. */
  readonly programs: ImagePrograms
  readonly helper: Image
  readonly runtime: string
  readonly gpus: GpuAccess
  readonly dialect: Dialect
  readonly cgroups: CgroupMeter | undefined
  readonly nodeId: string
  /** The container whose network the task's shares, if it may reach anything. */
  readonly networkOf?: string
}

/** What of a task names the things made for it. */
type Labelled = Pick<SandboxTask, 'id' | 'limits'>

/** Labels of everything made for this task. */
export function runLabels(on: TaskEngine, task: Labelled): Readonly<Record<string, string>> {
  return {
    [LABELS.node]: on.nodeId,
    [LABELS.task]: task.id,
    [LABELS.deadline]: String(Date.now() + task.limits.wallMs),
  }
}

/** Start of the names of what is made for this task; a hash, because ids may hold what names may not. */
export function runPrefix(on: Pick<TaskEngine, 'nodeId'>, task: Pick<SandboxTask, 'id'>): string {
  const key = createHash('sha256').update(`${on.nodeId}\n${task.id}`).digest('hex')
  return `computehive-${key.slice(0, 24)}`
}
