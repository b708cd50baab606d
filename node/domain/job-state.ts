import { HiveError } from './errors.ts'

/** Where a job, or one provider's share of it, stands. */
export const JOB_STATES = [
  'draft',
  'offered',
  'awarded',
  'fetching',
  'running',
  'publishing',
  'verifying',
  'settled',
  'declined',
  'expired',
  'failed',
  'cancelled',
  'disputed',
] as const
export type JobState = (typeof JOB_STATES)[number]

/** What can happen to a job or share. */
export type JobEvent =
  | 'publish'
  | 'award'
  | 'decline'
  | 'expire'
  | 'fetch'
  | 'run'
  | 'publish-results'
  | 'verify'
  | 'settle'
  | 'retry'
  | 'fail'
  | 'cancel'
  | 'dispute'

const ENDS = { fail: 'failed', cancel: 'cancelled' } as const

/** The only place that says which change is allowed. `test/vectors/job-state.json` holds the same table. */
export const TRANSITIONS: Readonly<
  Record<JobState, Readonly<Partial<Record<JobEvent, JobState>>>>
> = {
  draft: { publish: 'offered', award: 'awarded', ...ENDS },
  offered: { award: 'awarded', expire: 'expired', retry: 'offered', ...ENDS },
  awarded: {
    decline: 'declined',
    fetch: 'fetching',
    run: 'running',
    retry: 'offered',
    verify: 'verifying',
    ...ENDS,
  },
  fetching: { run: 'running', retry: 'offered', verify: 'verifying', ...ENDS },
  running: { 'publish-results': 'publishing', verify: 'verifying', retry: 'offered', ...ENDS },
  publishing: { verify: 'verifying', retry: 'offered', ...ENDS },
  verifying: { settle: 'settled', retry: 'offered', dispute: 'disputed', ...ENDS },
  disputed: { settle: 'settled', ...ENDS },
  settled: {},
  declined: {},
  expired: {},
  failed: {},
  cancelled: {},
}

/** The state after `event`. Throws `JOB_TRANSITION` when the table has no such step. */
export function nextState(state: JobState, event: JobEvent): JobState {
  const next = TRANSITIONS[state][event]
  if (next === undefined) throw new HiveError('JOB_TRANSITION', { state, event })
  return next
}

/** Whether nothing more can happen. */
export function isFinal(state: JobState): boolean {
  return Object.keys(TRANSITIONS[state]).length === 0
}

/** A job or share after `event`. Throws `JOB_TRANSITION`. */
export function step<T extends { readonly state: JobState }>(record: T, event: JobEvent): T {
  return { ...record, state: nextState(record.state, event) }
}

/**
 * As {@link step}, but unchanged where the table has no such step: for news that can arrive late
 * or twice, such as a second share starting to run, or a provider's word on its own progress.
 */
export function stepIfAllowed<T extends { readonly state: JobState }>(
  record: T,
  event: JobEvent,
): T {
  return TRANSITIONS[record.state][event] === undefined ? record : step(record, event)
}
