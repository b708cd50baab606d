/** How long content of a job stays: ms after its end, until its owner has it, or for good. */
export type KeepPolicy = number | 'until-fetched' | 'forever'
/** The policies that are words. */
export const KEEP_WORDS = ['until-fetched', 'forever'] as const
/** Longest time that can be asked for, ms: beyond it there is `forever`. */
export const MAX_KEEP_MS: number = 3650 * 24 * 3600 * 1000

/** What of a job is kept how long. */
export interface Keeping {
  /** Left out: as long as the node keeps results. */
  readonly results?: KeepPolicy
  /** Left out: until the job is over. */
  readonly inputs?: KeepPolicy
}

/** Whether content under this policy is still kept. `finishedAt` and `fetchedAt`, as `now`, in Unix ms. */
export function isKept(
  policy: KeepPolicy,
  job: { readonly finishedAt?: number; readonly fetchedAt?: number },
  now: number,
): boolean {
  if (job.finishedAt === undefined || policy === 'forever') return true
  if (policy === 'until-fetched') return job.fetchedAt === undefined
  return now - job.finishedAt <= policy
}
