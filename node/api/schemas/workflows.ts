import { Type, type Static } from 'typebox'
import { MAX_JOB_TIMEOUT_MS } from '../../domain/job-handling.ts'
import { MAX_TASKS } from '../../domain/offer.ts'
import {
  MAX_STEPS,
  MAX_STEP_NAME_CHARS,
  STEP_STATES,
  WORKFLOW_STATES,
} from '../../domain/workflow.ts'
import { MAX_PATH_CHARS } from '../../protocol/limits.ts'
import { AmountText, Bytes32Text, TimeMs } from './basics.ts'
import { JobRequestBody } from './job-request.ts'
import { JobError, JobSummary } from './jobs.ts'

const closed = { additionalProperties: false }
const StepName = Type.String({ maxLength: MAX_STEP_NAME_CHARS })
const made = {
  /** The step that makes it. */
  from: StepName,
  /** In or below its outputs folder, or `stdout` or `stderr`. */
  output: Type.String({ maxLength: MAX_PATH_CHARS }),
}

/** A step, and what it takes from others. */
const StepBody = Type.Object(
  {
    name: StepName,
    needs: Type.Array(StepName, { maxItems: MAX_STEPS }),
    inputs: Type.Array(
      Type.Object(
        {
          path: Type.String({ pattern: '^/', maxLength: MAX_PATH_CHARS }),
          ...made,
          task: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_TASKS })),
        },
        closed,
      ),
    ),
    /** One task for each of these files, instead of the spec’s tasks. */
    map: Type.Optional(Type.Object(made, closed)),
    request: JobRequestBody,
  },
  closed,
)

/** What starts a workflow. The contents of its steps must be on this node. */
export const WorkflowSubmissionBody = Type.Object(
  {
    steps: Type.Array(StepBody, { maxItems: MAX_STEPS }),
    budget: Type.Optional(AmountText),
    totalMs: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_JOB_TIMEOUT_MS })),
  },
  closed,
)
export type WorkflowSubmissionBody = Static<typeof WorkflowSubmissionBody>

/** A workflow, and how far each of its steps has come. */
export const WorkflowBody = Type.Object({
  id: Bytes32Text,
  state: Type.Enum([...WORKFLOW_STATES]),
  steps: Type.Array(
    Type.Object({
      name: Type.String(),
      state: Type.Enum([...STEP_STATES]),
      /** Steps that must settle before it. */
      needs: Type.Array(Type.String()),
      job: Type.Optional(JobSummary),
      error: Type.Optional(JobError),
    }),
  ),
  createdAt: TimeMs,
  finishedAt: Type.Optional(TimeMs),
  /** Promised by vouchers for its jobs. */
  paid: AmountText,
  budget: Type.Optional(AmountText),
  totalMs: Type.Optional(Type.Integer()),
  error: Type.Optional(JobError),
})
export type WorkflowBody = Static<typeof WorkflowBody>
