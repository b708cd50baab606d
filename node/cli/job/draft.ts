import type { GpuNeed } from '../../domain/gpu-need.ts'
import type { JobHandling } from '../../domain/job-handling.ts'
import type { JobKind, ServiceTerms } from '../../domain/job-spec.ts'
import type { Amount } from '../../domain/money.ts'
import type { UseUnit } from '../../domain/paid-use.ts'
import type { Resources } from '../../domain/resources.ts'
import type { SecretSlot } from '../../domain/secret-slot.ts'
import type { SecretSource } from './secret-fields.ts'
import type { ImageForm } from './image-name.ts'

/** A file of this machine, and where a task finds it. */
export interface DraftFile {
  /** Inside the sandbox. */
  readonly path: string
  /** On this machine, absolute. */
  readonly source: string
}

/** A secret, and where its value is. */
export interface DraftSecret {
  readonly slot: SecretSlot
  /** A file is absolute, on this machine. */
  readonly from: SecretSource
}

/** What a task runs, as its author named it. */
export interface DraftProgram extends DraftFile {
  /** A module is a file; `source` is a CID for content, and what an engine or a registry calls the image for those. */
  readonly from: 'module' | ImageForm
}

/** A job as its author wrote it, checked, with every path resolved; nothing is uploaded yet. */
export interface JobDraft {
  readonly kind: JobKind
  readonly program: DraftProgram
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly DraftFile[]
  readonly stdin: string | undefined
  readonly outputs: string
  readonly resources: Resources
  readonly gpus: GpuNeed | undefined
  readonly egress: readonly string[]
  readonly secrets: readonly DraftSecret[]
  readonly timeoutMs: number
  readonly service: ServiceTerms | undefined
  readonly pay: UseUnit | undefined
  readonly fuel: number | undefined
  readonly deterministic: boolean
  readonly tasks: number
  readonly inputs: readonly { readonly name: string; readonly files: readonly DraftFile[] }[]
  readonly stream: boolean
  readonly maxPrice: Amount
  readonly budget: Amount | undefined
  readonly attempts: number
  readonly bidWindowMs: number
  readonly bidsWanted: number
  readonly handling: JobHandling
}
