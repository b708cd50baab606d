import type { Hardware } from '../domain/advert.ts'
import type { LocalGpu } from '../domain/gpu-share.ts'

/** What the machine has; detected, never typed. */
export interface HardwareProbe {
  detect(): Promise<Omit<Hardware, 'sandboxes'>>
  /** The GPUs that could be handed to a job, in the order of their slots. Their ids are for this node alone. */
  gpus(): Promise<readonly LocalGpu[]>
}
