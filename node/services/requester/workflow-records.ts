import type { ErrorCode } from '../../domain/error-codes.ts'
import type { ErrorData } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import type { StepPlan, StepState, WorkflowState } from '../../domain/workflow.ts'
import type { JobRequest } from './records.ts'

/** A step as its author asked for it. */
export interface WorkflowStep extends Omit<StepPlan, 'spec'> {
  /** Its spec lacks what other steps make. */
  readonly request: JobRequest
}

/** What a user asks for. */
export interface WorkflowRequest {
  readonly steps: readonly WorkflowStep[]
  /** Most that all steps may cost together; left out: what their prices allow. */
  readonly budget?: Amount
  /** From submission to the last result, ms. */
  readonly totalMs?: number
}

/** How far a step has come. */
export interface StepRecord {
  readonly name: string
  readonly state: StepState
  readonly job?: Bytes32
  readonly error?: { readonly code: ErrorCode; readonly data: ErrorData }
}

/** A workflow as its requester remembers it. The id is random. */
export interface WorkflowRecord {
  readonly id: Bytes32
  readonly state: WorkflowState
  readonly request: WorkflowRequest
  /** One a step, in order. */
  readonly steps: readonly StepRecord[]
  /** Unix ms. */
  readonly createdAt: number
  readonly finishedAt?: number
  readonly error?: { readonly code: ErrorCode; readonly data: ErrorData }
}
