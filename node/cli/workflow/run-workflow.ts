import { join } from 'node:path'
import type { JobBody } from '../../api/schemas/jobs.ts'
import type { WorkflowBody, WorkflowSubmissionBody } from '../../api/schemas/workflows.ts'
import { HiveError } from '../../domain/errors.ts'
import { fetchOutputs } from '../job/outputs.ts'
import { uploadJob } from '../job/upload.ts'
import type { NodeClient } from '../node-client.ts'
import type { CliParts } from '../parts.ts'
import type { WorkflowDraft } from './workflow-file.ts'

/** Puts the contents of all steps on the node and returns what to submit. */
export async function uploadWorkflow(
  { steps, budget, totalMs }: WorkflowDraft,
  parts: Pick<CliParts, 'readImage' | 'cwd'>,
  client: NodeClient,
  signal: AbortSignal,
): Promise<WorkflowSubmissionBody> {
  const bodies: WorkflowSubmissionBody['steps'] = []
  for (const { name, needs, inputs, map, job } of steps)
    bodies.push({
      name,
      needs: [...needs],
      inputs: [...inputs],
      ...(map !== undefined && { map }),
      request: await uploadJob(job, parts, client, signal),
    })
  return {
    steps: bodies,
    ...(budget !== undefined && { budget: budget.toString() }),
    ...(totalMs !== undefined && { totalMs }),
  }
}

/** Resolves with the workflow once it is over; `onChange` hears of everything until then. */
export async function followWorkflow(
  client: NodeClient,
  id: string,
  onChange: (workflow: WorkflowBody) => Promise<void>,
  signal: AbortSignal,
): Promise<WorkflowBody> {
  for await (const each of client.events<WorkflowBody>(`/v1/workflows/${id}/events`, { signal })) {
    await onChange(each)
    if (each.state !== 'running') return each
  }
  throw new HiveError('NODE_NOT_RUNNING', {
    job: id,
    reason: 'the node stopped; it goes on with the workflow when it is started again',
  })
}

/** Writes what the tasks of each step left, each step into a folder of its name, and returns the paths. */
export async function writeStepOutputs(
  { steps }: WorkflowBody,
  dir: string,
  client: NodeClient,
  signal: AbortSignal,
): Promise<string[]> {
  const written: string[] = []
  for (const { name, job } of steps) {
    if (job === undefined) continue
    const body = await client.get<JobBody>(`/v1/jobs/${job.id}`, { signal })
    written.push(...(await fetchOutputs(body, join(dir, name), client, signal)))
  }
  return written
}
