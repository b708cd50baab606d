import type { GpuNeed } from './gpu-need.ts'
import type { Cid } from './ids.ts'
import type { UseUnit } from './paid-use.ts'
import type { Resources } from './resources.ts'
import type { SecretSlot } from './secret-slot.ts'

/** Job kinds; each has one sandbox adapter. */
export const JOB_KINDS = ['wasm', 'docker'] as const
export type JobKind = (typeof JOB_KINDS)[number]

/** Longest name of a class, characters: a kind, and the name of a registry. */
export const MAX_CLASS_CHARS = 96

/** A file that a task finds, or a program image. */
export interface InputFile {
  readonly path: string
  readonly cid: Cid
  readonly size: number
}

/** A job of one task that runs until it is stopped, its time is over or it is not paid any more. */
export interface ServiceTerms {
  /** After how much time each part is paid, by the second, ms. */
  readonly payEveryMs: number
}

/** What differs from task to task of an array. */
export interface TaskInput {
  /** Value of `{input}` in arguments and environment; a name, never a path of the requester's machine. */
  readonly name: string
  readonly files: readonly InputFile[]
  readonly stdin?: InputFile
}

/** A job as providers see it: content-addressed, free of the requester's paths. */
export interface JobSpec {
  readonly kind: JobKind
  /** Program: a WASI module, or an image; its size is that of all that it brings. */
  readonly image: InputFile
  /** `registry/name` where the image is pulled by its digest, which its CID carries, instead of being content. */
  readonly repository?: string
  /** May contain `{index}`, `{count}` and `{input}`. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly InputFile[]
  readonly stdin?: InputFile
  /** Folder whose files are collected as outputs. */
  readonly outputs: string
  readonly resources: Resources
  /** Left out: none. Only for `docker`. */
  readonly gpus?: GpuNeed
  /** `host:port` that a task may reach, through its provider's filter; left out: no network. Only for `docker`. */
  readonly egress?: readonly string[]
  /** Given to the winning provider alone, after the award. */
  readonly secrets?: readonly SecretSlot[]
  /** Wall time of one task, ms; of a service, its term. */
  readonly timeoutMs: number
  /** Left out: each task is paid when it has ended. */
  readonly service?: ServiceTerms
  /** Left out: a task costs its price, whatever it used. `fuel` only with a limit of it. */
  readonly pay?: UseUnit
  /** Instructions that one task may execute, weighted; without it they are not counted. Only for `wasm`. */
  readonly fuel?: number
  /** Whether a task must put out the same on every machine. Only for `wasm`. */
  readonly deterministic?: boolean
  /** Whether stdout and stderr are sent while the task runs. */
  readonly stream: boolean
  readonly tasks: number
  /** One entry a task, or empty when all tasks are alike. */
  readonly inputs: readonly TaskInput[]
}

/** Fills `{index}`, `{count}` and `{input}` in for one task. */
export function expand(text: string, spec: JobSpec, index: number): string {
  const values: Readonly<Record<string, string>> = {
    index: String(index),
    count: String(spec.tasks),
    input: spec.inputs[index]?.name ?? '',
  }
  return text.replace(/\{(index|count|input)\}/g, (_, key: string) => values[key] ?? '')
}

/** The files that one task finds. */
export function filesOf(spec: JobSpec, index: number): readonly InputFile[] {
  return [...spec.files, ...(spec.inputs[index]?.files ?? [])]
}

/** Bytes of files and stdin that each task is given, by what the spec says of them; one entry when all are alike. */
export function inputBytesOf(spec: JobSpec): number[] {
  const shared = sizeOf(spec.files)
  const tasks = spec.inputs.length === 0 ? [undefined] : spec.inputs
  return tasks.map((input) => {
    const stdin = input?.stdin ?? spec.stdin
    return shared + sizeOf(input?.files ?? []) + (stdin?.size ?? 0)
  })
}

/** What a share brings to its provider: the image, what its tasks have in common, and their own inputs. */
export function contentsOf(spec: JobSpec, tasks: readonly number[]): readonly InputFile[] {
  const own = tasks.map((task) => spec.inputs[task])
  const files = own.flatMap((input) => [
    ...(input?.files ?? []),
    ...(input?.stdin === undefined ? [] : [input.stdin]),
  ])
  const shared = [spec.image, ...spec.files, ...(spec.stdin === undefined ? [] : [spec.stdin])]
  return [...shared, ...files]
}

/** Bytes of {@link contentsOf}. */
export function contentBytesOf(spec: JobSpec, tasks: readonly number[]): number {
  return sizeOf(contentsOf(spec, tasks))
}

function sizeOf(files: readonly InputFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

/** The class whose gossip topic carries an offer for this spec; only who pulls from its registry listens there. */
export function classOf({ kind, repository }: JobSpec): string {
  return repository === undefined ? kind : registryClass(kind, repository.split('/')[0] ?? '')
}

/** The kind of the jobs of a class, whose prices and rules hold for them wherever their images come from. */
export function kindOfClass(name: string): string {
  return name.split('@')[0] ?? ''
}

/** The class of jobs whose image is one of this registry. */
export function registryClass(kind: JobKind, registry: string): string {
  return `${kind}@${registry}`
}
