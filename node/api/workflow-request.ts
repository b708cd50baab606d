import { HiveError } from '../domain/errors.ts'
import { isSandboxPath } from '../protocol/job-spec-codec.ts'
import type { WorkflowRequest } from '../services/requester/workflow-records.ts'
import { toJobRequest } from './job-request.ts'
import type { WorkflowSubmissionBody } from './schemas/workflows.ts'

/** A workflow that the services can take. Throws `INPUT_INVALID` with the problems of every step. */
export function toWorkflowRequest(body: WorkflowSubmissionBody): WorkflowRequest {
  const problems: string[] = []
  const steps = body.steps.flatMap(({ request, ...step }) => {
    for (const { path } of step.inputs)
      if (!isSandboxPath(path))
        problems.push(`steps.${step.name}.inputs.${path}: must be an absolute, plain path`)
    try {
      return [{ ...step, request: toJobRequest(request) }]
    } catch (error) {
      if (!(error instanceof HiveError)) throw error
      const found = error.data['problems']
      const texts = Array.isArray(found) ? (found as readonly string[]) : [error.code]
      problems.push(...texts.map((text) => `steps.${step.name}: ${text}`))
      return []
    }
  })
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
  return {
    steps,
    ...(body.budget !== undefined && { budget: BigInt(body.budget) }),
    ...(body.totalMs !== undefined && { totalMs: body.totalMs }),
  }
}
