import type { Hardware } from '../domain/advert.ts'

/** What the machine has; detected, never typed. */
export interface HardwareProbe {
  detect(): Promise<Omit<Hardware, 'sandboxes'>>
}
