import type { Command } from 'commander'
import type { JobSummary } from '../../api/schemas/jobs.ts'
import type { WorkflowBody } from '../../api/schemas/workflows.ts'
import { codeOf } from '../../domain/errors.ts'
import type { NodeClient } from '../node-client.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import type { CliParts } from '../parts.ts'

/** `hive cancel`: stops a job. */
export function cancelCommand(parts: CliParts): Command {
  return command({
    usage: 'cancel <job>',
    description:
      'Stop a job or workflow: what has ended is fetched and paid, within 20 s; a second cancel gives it up',
    examples: ['cancel 0x3fa2'],
  })
    .argument('<job>', 'id of a job or workflow, or a unique start of one')
    .action(async (id: string, options: CommonOptions) => {
      const { node, show } = contextOf(parts, options)
      const job = await cancel(await node(), encodeURIComponent(id))
      await show(job, () => [`${job.id} ${job.state}${delivered(job)}`])
    })
}

/** How much of an array was done by then. */
function delivered(job: JobSummary | WorkflowBody): string {
  return 'tasks' in job && job.done > 0 ? `, ${job.done} of ${job.tasks} tasks delivered` : ''
}

async function cancel(client: NodeClient, id: string): Promise<JobSummary | WorkflowBody> {
  try {
    return await client.post<JobSummary>(`/v1/jobs/${id}/cancel`, undefined)
  } catch (error) {
    if (codeOf(error) !== 'JOB_UNKNOWN') throw error
    return client.post<WorkflowBody>(`/v1/workflows/${id}/cancel`, undefined)
  }
}
