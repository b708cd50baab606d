import type { GpuNeed } from '../../domain/gpu-need.ts'
import {
  chooseGpus,
  countGpuTasks,
  promisedOf,
  type GpuUse,
  type LocalGpu,
} from '../../domain/gpu-share.ts'
import type { Sandbox } from '../../ports/sandbox.ts'

/** What an operator gives of the machine's GPUs. */
export interface GpusForJobs extends GpuPoolOptions {
  readonly devices: readonly LocalGpu[]
}

/** How the GPUs are handed out. */
export interface GpuPoolOptions {
  /** Tasks that may have one GPU at a time. @default GPU_POOL_DEFAULTS.share */
  readonly share?: number
}

/** A GPU belongs to one task alone. */
export const GPU_POOL_DEFAULTS = { share: 1 } as const satisfies Required<GpuPoolOptions>

/** Those of the GPUs that the engine for images can hand to a task: no other kind of job has any. */
export function gpuPool(sandboxes: readonly Sandbox[], gpus?: GpusForJobs): GpuPool {
  const vendors = sandboxes.find(({ kind }) => kind === 'docker')?.gpuVendors ?? []
  const devices = gpus?.devices.filter(({ vendor }) => vendors.includes(vendor)) ?? []
  return new GpuPool(devices, gpus)
}

/** The GPUs of this machine that jobs may have, and which tasks have them. */
export class GpuPool {
  readonly #devices: readonly LocalGpu[]
  readonly #share: number
  /** By the id of a GPU. */
  readonly #tasks = new Map<string, number>()

  constructor(devices: readonly LocalGpu[], options: GpuPoolOptions = {}) {
    this.#devices = devices
    this.#share = options.share ?? GPU_POOL_DEFAULTS.share
  }

  /** Places for tasks on all GPUs together. */
  get places(): number {
    return this.#devices.length * this.#share
  }

  /** What a task is promised of each GPU. */
  get promised(): readonly LocalGpu[] {
    return this.#devices.map((device) => promisedOf(device, this.#share))
  }

  /** How many tasks with this need could run at once if nothing else did. */
  most(need: GpuNeed): number {
    const idle = this.#devices.map((device) => ({ device, tasks: 0 }))
    return countGpuTasks(idle, need, this.#share)
  }

  /** How many more tasks with this need could start now. */
  room(need: GpuNeed): number {
    return countGpuTasks(this.#uses(), need, this.#share)
  }

  /** GPUs for one task, its own until they are given back; `undefined` when too few are free. */
  take(need: GpuNeed): readonly LocalGpu[] | undefined {
    const chosen = chooseGpus(this.#uses(), need, this.#share)
    for (const { id } of chosen ?? []) this.#count(id, 1)
    return chosen
  }

  giveBack(devices: readonly LocalGpu[]): void {
    for (const { id } of devices) this.#count(id, -1)
  }

  #uses(): readonly GpuUse[] {
    return this.#devices.map((device) => ({ device, tasks: this.#tasks.get(device.id) ?? 0 }))
  }

  #count(id: string, change: number): void {
    this.#tasks.set(id, (this.#tasks.get(id) ?? 0) + change)
  }
}
