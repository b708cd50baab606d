/** Makers whose GPUs can be handed to a job. */
export const GPU_VENDORS = ['nvidia', 'amd'] as const
export type GpuVendor = (typeof GPU_VENDORS)[number]

/** Whether a GPU of this maker can be handed to a job. */
export function isGpuVendor(name: string): name is GpuVendor {
  return (GPU_VENDORS as readonly string[]).includes(name)
}

/** GPUs that each task of a job needs. */
export interface GpuNeed {
  /** At least 1. */
  readonly count: number
  /** Left open: of either maker. */
  readonly vendor?: GpuVendor
  /** Memory of each one at least, bytes. */
  readonly memoryBytes?: number
}

/** Most GPUs that one task may ask for: what the largest machines have. */
export const MAX_GPUS = 16

/** A GPU of this machine, by what an engine finds it with. Never told to other nodes. */
export interface GpuDevice {
  readonly vendor: GpuVendor
  /** NVIDIA: the UUID of the driver; AMD: the path of the render node below /dev/dri. */
  readonly id: string
}
