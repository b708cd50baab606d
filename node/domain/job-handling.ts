import type { RetryPolicy } from './retry-policy.ts'

/** How its requester's node handles a job. No provider sees any of it. */
export interface JobHandling {
  /** Left out: DEFAULT_RETRY. */
  readonly retry?: RetryPolicy
}
