import type { Keeping } from './keeping.ts'
import type { PeerId } from './ids.ts'
import type { RetryPolicy } from './retry-policy.ts'
import { day } from './units.ts'

/** Longest waits of a job, ms; left out: as long as it takes. How long a task runs is in its spec. */
export interface JobTimeouts {
  /** From when a task could run until its provider has started its share. Left out: one round of bids. */
  readonly queueMs?: number
  /** In which a provider has to bring what its share needs. */
  readonly fetchMs?: number
  /** From submission to the last result. */
  readonly totalMs?: number
}

/** Longest wait that can be asked for, ms; a timer of the platform holds no more than 24 days. */
export const MAX_JOB_TIMEOUT_MS: number = 7 * day

/** More runs of one task than this waste everybody's time. */
export const MAX_ATTEMPTS = 20

/** 0 to 9; the higher one goes first. */
export const MAX_PRIORITY = 9
/** What a job has that says nothing else, and what the words stand for. */
export const PRIORITIES = { low: 2, normal: 5, high: 8 } as const

/** Most providers that a job may name: each is sent every offer by itself. */
export const MAX_NAMED_PROVIDERS = 64

/** How its requester's node handles a job. No provider sees any of it. */
export interface JobHandling {
  /** Left out: DEFAULT_RETRY. */
  readonly retry?: RetryPolicy
  readonly timeouts?: JobTimeouts
  /** Whose tasks are offered first of those that wait; left out: normal. */
  readonly priority?: number
  /** Whether results of a job that is the same to the last bit may answer this one, and its own later ones. */
  readonly cache?: 'allow'
  /** The only providers that are asked, each directly; left out: anybody. At most {@link MAX_NAMED_PROVIDERS}. */
  readonly providers?: readonly PeerId[]
  readonly keep?: Keeping
  /** Only providers that let their requester into the running task, or do not say whether they do. */
  readonly attach?: true
}
