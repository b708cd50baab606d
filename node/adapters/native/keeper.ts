import type { SandboxTask } from '../../ports/sandbox.ts'
import type { ImageConfig } from '../image/image-config.ts'
import type { Stage, StageEnd } from './stage.ts'
import type { Workspace } from './task-workspace.ts'

/** What holds a job, once its mounts are made. */
export interface Keeper {
  /** For the advert. */
  readonly isolation: string
  /** Most processes and threads, those of the keeper itself included. */
  readonly pids: number
  /** Most files that it may have open itself, where the job's own number follows from that; `undefined`: no such limit. */
  readonly openFiles: number | undefined
  /** The command that runs the task, and what it reads from descriptor 5. */
  prepare(task: SandboxTask, image: ImageConfig, space: Workspace): Promise<PreparedCommand>
  /**
   * The system call filter for descriptor 6, as a path; `undefined` for none: then the job has a kernel to itself, whose
   * processes nobody can enter from outside.
   */
  readonly filterPath: string | undefined
  /** What the end means. `said` is the job's stderr. */
  judge(end: StageEnd, stage: Stage, said: string): Promise<Judgement>
}

/** A command and what only it may read. */
export interface PreparedCommand {
  readonly command: readonly string[]
  readonly secret: Uint8Array
}

/** The job's own exit status, or why it never ran; neither when its keeper was killed. */
export interface Judgement {
  readonly status?: number
  readonly fault?: string
}
