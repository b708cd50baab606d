import type { Gpu } from '../../../domain/devices.ts'

/** One card, or one chip of a card that has several, before equal ones are counted. */
export type OneGpu = Omit<Gpu, 'count'>
