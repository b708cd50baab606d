import type { Command } from 'commander'
import type { JobSummary } from '../../api/schemas/jobs.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import type { CliParts } from '../parts.ts'

/** `hive cancel`: stops a job. */
export function cancelCommand(parts: CliParts): Command {
  return command({
    usage: 'cancel <job>',
    description: 'Stop a job; tasks that were paid stay paid',
    examples: ['cancel 0x3fa2'],
  })
    .argument('<job>', 'id of a job, or a unique start of one')
    .action(async (id: string, options: CommonOptions) => {
      const { node, show } = contextOf(parts, options)
      const path = `/v1/jobs/${encodeURIComponent(id)}/cancel`
      const job = await (await node()).post<JobSummary>(path, undefined)
      await show(job, () => [`${job.id} ${job.state}`])
    })
}
