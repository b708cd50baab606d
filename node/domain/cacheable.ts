import type { JobSpec } from './job-spec.ts'
import type { TaskResult } from './receipt.ts'

/**
 * Whether a task of this spec gives the same wherever and whenever it runs, so that its spec's CID says all that decides
 * the result. What a secret says is not in the spec.
 */
export function isCacheable({ deterministic, secrets = [] }: JobSpec): boolean {
  return deterministic === true && secrets.length === 0
}

/** Whether a task that ended so would always end so: limits of time and memory are met differently each time. */
export function isLasting({ reason }: Pick<TaskResult, 'reason'>): boolean {
  return reason === 'exit' || reason === 'fuel'
}
