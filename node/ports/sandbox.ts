import type { GpuDevice, GpuVendor } from '../domain/gpu-need.ts'
import type { JobKind } from '../domain/job-spec.ts'
import type { TaskUse } from '../domain/machine-sample.ts'
import type { EndReason, Usage } from '../domain/receipt.ts'
import type { Resources } from '../domain/resources.ts'
import type { Attach } from './attach.ts'

/** A file inside the sandbox; `path` is absolute there. */
export interface SandboxFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** One task, ready to run. */
export interface SandboxTask {
  /** Unique on this node; engines label what they start with it. */
  readonly id: string
  readonly image: SandboxImage
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
  readonly files: readonly SandboxFile[]
  /** Absolute folder, created writable; regular files left in it come back. */
  readonly outputs: string
  readonly limits: SandboxLimits
  /** GPUs that are its own while it runs. Only `docker`. */
  readonly gpus?: readonly GpuDevice[]
  /** `host:port` that it may reach, and nothing else of a network; left out: none at all. Only `docker`. */
  readonly egress?: readonly string[]
  /** Must touch no disk of this node and no log. docs/job-spec.md says what an engine does with variables. */
  readonly secrets?: TaskSecrets
  /**
   * Given: the task runs in deterministic mode, with randomness from these 32 bytes. What it puts out
   * and the fuel that it uses are then the same on every machine. Only `wasm` has such a mode.
   */
  readonly seed?: Uint8Array
}

/** What a task is told in confidence. */
export interface TaskSecrets {
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly SandboxFile[]
}

/** A program image; `load` is called only when the engine does not hold it yet. */
export interface SandboxImage {
  /** Identifies the bytes: its CID. */
  readonly id: string
  /** What it throws as IMAGE_INVALID is the image's own fault; anything else means that it cannot be had now. */
  readonly load: () => Promise<Program>
}

/** A module or an image archive, whole; or an image in layers. */
export type Program = Uint8Array | LayeredProgram

/** An image whose layers are had one at a time, so that it need not be in memory as a whole. */
export interface LayeredProgram {
  /** The image's configuration, JSON in the OCI format. */
  readonly config: Uint8Array
  /** Uncompressed layers, bottom first, unchecked; each may be asked for more than once. */
  readonly layers: readonly (() => Promise<Uint8Array>)[]
}

/** Hard limits; reaching one ends the task with the matching reason. */
export interface SandboxLimits extends Resources {
  readonly wallMs: number
  /** stdout and stderr together, bytes. */
  readonly outputBytes: number
  /** Instructions, weighted; without it they are not counted. Only `wasm` counts them. */
  readonly fuel?: number
}

/** How a task ended. A job's failure is a result; only a broken engine throws. */
export interface SandboxResult {
  readonly reason: EndReason
  /** Meaningful for `exit` only; -1 otherwise. */
  readonly exitCode: number
  /**
   * What went wrong, in words; on `exit` only of a program that trapped, with exit code 134, of connections that were
   * refused, and of calls that were refused to one that failed.
   */
  readonly detail: string
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly files: readonly SandboxFile[]
  readonly usage: Usage
}

/** Which of the two streams a chunk came from: 1 stdout, 2 stderr. */
export type OutputStream = 1 | 2

/** How to run a task. */
export interface RunOptions {
  /** Aborting ends the task within a second, reason `killed`. */
  readonly signal: AbortSignal
  /**
   * Called with output as it comes, the chunk good during the call only; must not throw. A program that prints faster
   * than this returns is held back.
   */
  readonly onOutput?: (stream: OutputStream, chunk: Uint8Array) => void
}

/** The tasks that run on though this node did not: what an earlier life of it started and did not see end. */
export interface LeftTasks {
  /** Their ids; one that is resumed or ended is no longer among them. */
  readonly ids: ReadonlySet<string>
  /**
   * Takes one up where it stands, with all its output so far, under the limits that it started with. `undefined` when
   * how it went cannot be told for certain: nothing of it is left then, and it can be run again.
   */
  resume(task: SandboxTask, options: RunOptions): Promise<SandboxResult | undefined>
  /** Ends one and removes what is its own. */
  end(id: string): Promise<void>
}

/**
 * Runs strangers’ programs. No network but what a task may reach, no host files, non-root, limits enforced; nothing is
 * left behind.
 */
export interface Sandbox extends AsyncDisposable {
  readonly kind: JobKind
  /** What isolates the job, for the advert: `bubblewrap`, `docker runc`, … */
  readonly isolation: string
  /** Only of engines whose tasks outlive this node. Those not resumed end with the sandbox. */
  readonly left?: LeftTasks
  /** Makers whose GPUs it can hand to a task; left out: none. */
  readonly gpuVendors?: readonly GpuVendor[]
  /** Whether a task may have destinations here; one that does where it may not is start-failed. */
  readonly hasEgress?: boolean
  /** Most disk that one of its tasks may ask for, bytes; one that asks for more is start-failed. Left out: no such limit. */
  readonly maxDiskBytes?: number
  /** Ways into a task that runs; left out: none. */
  readonly attach?: Attach
  /** What a task that runs has used so far; `undefined` for one that does not run. Left out where it cannot be told. */
  usage?(taskId: string): Promise<TaskUse | undefined>
  /** Whether the image is already loaded, so that a bid may say so. */
  holds(imageId: string): boolean
  /**
   * Brings the image into the engine, so that a run need not; left out where a run is as fast without. Rejects with
   * IMAGE_INVALID, with TASK_START_FAILED when the image cannot be had, and with CANCELLED once the signal aborts.
   */
  prepare?(image: SandboxImage, options: { readonly signal: AbortSignal }): Promise<void>
  /** Never rejects because of the job; throws SANDBOX_UNAVAILABLE when the engine itself is gone. */
  run(task: SandboxTask, options: RunOptions): Promise<SandboxResult>
}
