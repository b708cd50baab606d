import type { OfferAnswers } from '../../domain/decline.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import type { ErrorData } from '../../domain/errors.ts'
import type { BeatState } from '../../domain/heartbeat.ts'
import type { Address, Bytes32, Cid, Hex, PeerId } from '../../domain/ids.ts'
import type { JobHandling } from '../../domain/job-handling.ts'
import type { JobSpec } from '../../domain/job-spec.ts'
import type { JobState } from '../../domain/job-state.ts'
import type { Amount } from '../../domain/money.ts'
import type { UseTerms } from '../../domain/paid-use.ts'
import type { TaskResult } from '../../domain/receipt.ts'

/** What a user asks for. */
export interface JobRequest extends JobHandling {
  readonly spec: JobSpec
  /** Most to pay for one task. */
  readonly maxPrice: Amount
  /** Most to pay for all of the job, every run of every task; left out: no limit. */
  readonly budget?: Amount
  /** How often a task may be run; 2 is one retry. */
  readonly attempts: number
  /** How long bids are collected, ms; it closes earlier when everyone asked has answered. */
  readonly bidWindowMs: number
  /** Bids that are enough to stop waiting. */
  readonly bidsWanted: number
}

/** The step of a workflow that a job is. */
export interface JobOrigin {
  readonly workflow: Bytes32
  readonly step: string
}

/** A job as its requester remembers it. The id is that of its first offer. */
export interface JobRecord {
  readonly id: Bytes32
  readonly state: JobState
  readonly request: JobRequest
  readonly specCid: Cid
  /** Left out: submitted by itself. */
  readonly origin?: JobOrigin
  /** Unix ms. */
  readonly createdAt: number
  readonly finishedAt?: number
  /** When its owner had all its results outside of the node, Unix ms. */
  readonly fetchedAt?: number
  readonly offers: readonly Bytes32[]
  readonly shares: readonly Bytes32[]
  /** A service that is to end with what it has so far. */
  readonly stopping?: true
  /** How long a service runs in all whose time was extended, ms; left out: as its spec says. */
  readonly termMs?: number
  /** Why it is to end, with what it has so far, before its time. */
  readonly ending?: Extract<ErrorCode, 'JOB_CANCELLED' | 'JOB_TIMEOUT'>
  /** One a task, in order; missing while the task is open. */
  readonly results: readonly (TaskResult | null)[]
  /** Tasks that were answered from the result cache; left out: none. */
  readonly cached?: number
  /** Tasks without a result that were run before, in order. */
  readonly again?: readonly TaskAgain[]
  /** Runs that printed something and brought no result, the newest last. */
  readonly failedRuns?: readonly FailedRun[]
  /** Of the last offers that somebody declined or that did not place everything, the newest last. */
  readonly answers?: readonly OfferAnswers[]
  readonly error?: { readonly code: ErrorCode; readonly data: ErrorData }
}

/** A task that is to be run again. */
export interface TaskAgain {
  readonly task: number
  /** How often it was run so far. */
  readonly runs: number
  /** Unix ms. */
  readonly notBefore: number
  /** How it ended, where its program had a say in that, or its provider called it impossible. */
  readonly last?: TaskResult
}

/** A run of a task that is not its result, and what is kept of what it printed. */
export interface FailedRun {
  /** No other run of the task has it. */
  readonly key: string
  readonly task: number
  readonly attempt: number
  readonly provider: Address
  /** Why it is no result: an error's code, or how the task ended. */
  readonly end: string
  /** Left out: nothing was printed there. */
  readonly stdout?: OutputTail
  readonly stderr?: OutputTail
}

/** The end of a stream. */
export interface OutputTail {
  readonly cid: Cid
  readonly size: number
  /** Bytes before it that are not kept. */
  readonly from: number
}

/** A provider's share of a job, seen from the requester. The id is the agreement's. */
export interface ShareRecord {
  readonly id: Bytes32
  readonly job: Bytes32
  readonly state: JobState
  readonly provider: Address
  readonly peer: PeerId
  readonly channel: Bytes32
  readonly seq: number
  readonly tasks: readonly number[]
  readonly price: Amount
  /** Of the offer, where tasks are paid by their use. */
  readonly terms?: UseTerms
  /** Unix seconds. */
  readonly finishBy: number
  readonly attempt: number
  /** A task of it has started at its provider. */
  readonly begun?: true
  /** Both signatures once the provider has countersigned. */
  readonly agreement: Hex
  readonly award: Hex
  readonly receipt?: Hex
  readonly manifest?: Cid
  /** Paid; of a share by the second, so far. */
  readonly amount?: Amount
  /** Of a share that is paid by the second, whose price is that of an interval. */
  readonly meter?: ShareMeter
  readonly error?: ErrorCode
}

/** How far a share that is paid by the second was heard and paid. */
export interface ShareMeter extends BeatState {
  readonly payEveryMs: number
  /** Intervals that are agreed and not paid, in order: the one that runs, and the next. */
  readonly agreed: readonly AgreedInterval[]
  /** The last one that was paid; none before the first heartbeat. */
  readonly lastPaid?: Pick<AgreedInterval, 'id' | 'seq'>
  /** How far the share had come when it ended, ms; once its closing heartbeat was heard. */
  readonly closedMs?: number
}

/** The agreement about one interval of a share. */
export interface AgreedInterval {
  readonly id: Bytes32
  readonly seq: number
  readonly agreement: Hex
  readonly award: Hex
  /** Whether its provider has countersigned. */
  readonly isSigned: boolean
}
