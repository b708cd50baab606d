import { needsOf } from '../../domain/workflow.ts'
import type { JobBook } from '../../services/requester/job-book.ts'
import type { JobRecord } from '../../services/requester/records.ts'
import type { WorkflowRecord } from '../../services/requester/workflow-records.ts'
import type { WorkflowBody } from '../schemas/workflows.ts'
import { jobSummary } from './job-view.ts'
import { plainData } from './plain-data.ts'

type ErrorOf = NonNullable<WorkflowRecord['error']>

/** A workflow with the jobs that its steps became. */
export async function workflowView(workflow: WorkflowRecord, book: JobBook): Promise<WorkflowBody> {
  const { request, steps, error, ...rest } = workflow
  const jobs = new Map<string, JobRecord>()
  for (const { name, job } of steps) if (job !== undefined) jobs.set(name, await book.get(job))
  const paid = await Promise.all([...jobs.values()].map(async (job) => paidFor(job, book)))
  return {
    id: rest.id,
    state: rest.state,
    createdAt: rest.createdAt,
    ...(rest.finishedAt !== undefined && { finishedAt: rest.finishedAt }),
    steps: steps.map(({ name, state, error: why }) => {
      const plan = request.steps.find((each) => each.name === name)
      const job = jobs.get(name)
      return {
        name,
        state,
        needs: plan === undefined ? [] : needsOf(plan),
        ...(job !== undefined && { job: jobSummary(job) }),
        ...(why !== undefined && { error: errorView(why) }),
      }
    }),
    paid: paid.reduce((sum, each) => sum + each, 0n).toString(),
    ...(request.budget !== undefined && { budget: request.budget.toString() }),
    ...(request.totalMs !== undefined && { totalMs: request.totalMs }),
    ...(error !== undefined && { error: errorView(error) }),
  }
}

async function paidFor(job: JobRecord, book: JobBook): Promise<bigint> {
  const shares = await book.sharesOf(job)
  return shares.reduce((sum, { amount }) => sum + (amount ?? 0n), 0n)
}

function errorView({ code, data }: ErrorOf): { code: string; data: Record<string, unknown> } {
  return { code, data: plainData(data) }
}
