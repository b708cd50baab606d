import type { Command } from 'commander'
import type { JobSummary } from '../../api/schemas/jobs.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import type { CliParts } from '../parts.ts'

/** `hive stop`: has a service end with what it has so far. */
export function stopCommand(parts: CliParts): Command {
  return command({
    usage: 'stop <job>',
    description: 'End a service well: its output so far is kept, and paid to the last whole second',
    examples: ['stop 0x3fa2'],
  })
    .argument('<job>', 'id of a service, or a unique start of one')
    .action(async (id: string, options: CommonOptions) => {
      const { node, show } = contextOf(parts, options)
      const client = await node()
      const job = await client.post<JobSummary>(
        `/v1/jobs/${encodeURIComponent(id)}/stop`,
        undefined,
      )
      await show(job, () => [
        `${job.id} is told to stop; \`hive job ${job.id.slice(0, 10)}\` shows it`,
      ])
    })
}
