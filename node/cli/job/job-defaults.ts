import { parseAmount } from '../../domain/money.ts'
import { MiB, minute, second } from '../../domain/units.ts'

/** What a job is when its author does not say. */
export const JOB_DEFAULTS = {
  outputs: '/out',
  cpuMillis: 1000,
  memoryBytes: 256 * MiB,
  diskBytes: 256 * MiB,
  timeoutMs: 10 * minute,
  tasks: 1,
  /** What both sides risk of a service; a voucher and an agreement for each are cheap. */
  payEveryMs: 10 * second,
  /** Above what a provider with the default price list asks for a default task. */
  maxPrice: parseAmount('0.01'),
  /** Where tasks are paid by use: above what it asks for a core during all of the default time limit. */
  maxPriceByUse: parseAmount('0.1'),
  /** One retry on another provider. */
  attempts: 2,
  bidWindowMs: 5 * second,
  /** Enough to choose from, few enough not to wait for. */
  bidsWanted: 3,
} as const
