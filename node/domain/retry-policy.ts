import type { TaskResult } from './receipt.ts'
import { minute } from './units.ts'

/** What a policy can name beside single exit codes. `lost` is a provider that delivered nothing. */
export const RETRY_REASONS = [
  'nonzero',
  'timeout',
  'oom',
  'output-limit',
  'disk-limit',
  'fuel',
  'killed',
  'start-failed',
  'lost',
] as const
export type RetryReason = (typeof RETRY_REASONS)[number]

/** Most entries of a policy's list: each exit code of a shell once, and the words. */
export const MAX_RETRY_ENDS = 300
/** Largest exit code that a policy can name: WASI programs may use 32 bits. */
export const MAX_EXIT_CODE: number = 2 ** 32 - 1

/** How long to wait before a task is tried again. */
export interface BackOff {
  /** Before the second run, ms. */
  readonly firstMs: number
  /** What each further pause is longer by. */
  readonly factor: number
  /** No pause is longer, ms. */
  readonly mostMs: number
}

/** Which tasks are tried again, when and where. How often is the job's `attempts`. */
export interface RetryPolicy {
  /** Exactly these ends: what is not in the list is not tried again. */
  readonly on: readonly (RetryReason | number)[]
  readonly backOff: BackOff
  /** Whether a provider that has had the task is left out. */
  readonly elsewhere: boolean
}

/** Without a policy: what is the provider's doing, at once, elsewhere. */
export const DEFAULT_RETRY: RetryPolicy = {
  on: ['lost', 'killed', 'start-failed'],
  backOff: { firstMs: 0, factor: 2, mostMs: 5 * minute },
  elsewhere: true,
}

/** Whether the policy tries a task again that ended so. */
export function triesAgain(
  { on }: RetryPolicy,
  { reason, exitCode }: Pick<TaskResult, 'reason' | 'exitCode'>,
): boolean {
  if (reason !== 'exit') return on.some((each) => each === reason)
  return exitCode !== 0 && (on.includes('nonzero') || on.includes(exitCode))
}

/** The pause after so many runs of a task, ms; at least one. */
export function pauseAfter(runs: number, { firstMs, factor, mostMs }: BackOff): number {
  return Math.min(mostMs, Math.round(firstMs * factor ** (runs - 1)))
}
