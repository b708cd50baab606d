import type { Gpu } from '../../../domain/devices.ts'
import { isGpuVendor } from '../../../domain/gpu-need.ts'
import type { LocalGpu } from '../../../domain/gpu-share.ts'

/** One card, or one chip of a card that has several, before equal ones are counted. */
export interface OneGpu extends Omit<Gpu, 'count'> {
  /** What an engine finds it with, see GpuDevice; absent where it cannot be handed to a job. Stays on this node. */
  readonly id?: string
}

/** Those that can be handed to a job. */
export function localGpus(cards: readonly OneGpu[]): readonly LocalGpu[] {
  return cards.flatMap(({ vendor, id, memoryBytes }) =>
    id !== undefined && isGpuVendor(vendor)
      ? { vendor, id, ...(memoryBytes !== undefined && { memoryBytes }) }
      : [],
  )
}
