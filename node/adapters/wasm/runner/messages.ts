import type { TaskUse } from '../../../domain/machine-sample.ts'
import type { EndReason } from '../../../domain/receipt.ts'
import type { SandboxFile } from '../../../ports/sandbox.ts'

/** Limits as the runner enforces them. */
export interface GuestLimits {
  readonly cpuMillis: number
  readonly wallMs: number
  readonly fuel?: number
  readonly outputBytes: number
  readonly diskBytes: number
  /** Of the outputs folder. */
  readonly maxFiles: number
  readonly maxFileBytes: number
  readonly maxPathChars: number
}

/** A task without its image. */
export interface GuestTask {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
  readonly files: readonly SandboxFile[]
  readonly outputs: string
  readonly limits: GuestLimits
  readonly seed?: Uint8Array
}

/** How a task ended inside the runner; its output went ahead. */
export interface GuestResult {
  readonly reason: EndReason
  readonly exitCode: number
  readonly detail: string
  readonly files: readonly SandboxFile[]
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakMemoryBytes: number
  readonly fuel?: number
}

/** How a module is prepared. */
export interface ModuleForm {
  /** Most pages of its memory. */
  readonly maxPages: number
  readonly mode: 'plain' | 'metered' | 'deterministic'
}

/** What the node tells its runner. The channel keeps the order, so what was admitted is there for a `run`. */
export type ToRunner =
  | {
      readonly type: 'admit'
      readonly key: string
      readonly bytes: Uint8Array
      readonly form: ModuleForm
    }
  | { readonly type: 'drop'; readonly key: string }
  | { readonly type: 'run'; readonly id: number; readonly key: string; readonly task: GuestTask }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'usage'; readonly id: number }

/** What the runner tells its node. */
export type FromRunner =
  | { readonly type: 'ready' }
  | { readonly type: 'admitted'; readonly key: string }
  | { readonly type: 'refused'; readonly key: string; readonly why: string }
  /** As `packed-output.ts` packs it: one message however often the guest changes streams. */
  | { readonly type: 'output'; readonly id: number; readonly packed: Uint8Array }
  /** Without `use` where the task does not run. */
  | { readonly type: 'used'; readonly id: number; readonly use?: TaskUse }
  | { readonly type: 'ended'; readonly id: number; readonly result: GuestResult }

/** What a worker thread is told: one task. */
export interface ToWorker {
  readonly module: WebAssembly.Module
  readonly form: ModuleForm
  readonly task: GuestTask
}

/** What a worker thread tells: it can take tasks, there is output in the ring, or how its task ended. */
export type FromWorker = 'ready' | 'output' | Omit<GuestResult, 'wallMs'>
