import { isGpuVendor, type GpuNeed } from './gpu-need.ts'
import { needOf, type Offer } from './offer.ts'
import type { Resources } from './resources.ts'

/** What a task takes of a machine: how much, and which GPUs it can do with. */
export interface TaskNeed extends Resources {
  /** Left out: any. */
  readonly gpuKind?: Omit<GpuNeed, 'count'>
}

/** What one task of the offer takes. */
export function taskNeedOf(
  offer: Pick<
    Offer,
    'cpuMillis' | 'memoryBytes' | 'diskBytes' | 'gpus' | 'gpuVendor' | 'gpuMemoryBytes'
  >,
): TaskNeed {
  const { gpus, gpuVendor: vendor, gpuMemoryBytes: memoryBytes } = offer
  const gpuKind = {
    ...(isGpuVendor(vendor) && { vendor }),
    ...(memoryBytes > 0 && { memoryBytes }),
  }
  return { ...needOf(offer), ...(gpus > 0 && { gpuKind }) }
}

/** The GPUs in it; `undefined` when it needs none. */
export function gpuNeedOf({ gpus = 0, gpuKind }: TaskNeed): GpuNeed | undefined {
  return gpus > 0 ? { count: gpus, ...gpuKind } : undefined
}
