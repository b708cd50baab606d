import type { Command } from 'commander'
import type { JobEventBody } from '../../api/schemas/jobs.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { jobOutput } from '../output/job-output.ts'
import { print, printJson } from '../output/printing.ts'
import type { CliParts } from '../parts.ts'

/** `hive logs`: what tasks printed. */
export function logsCommand(parts: CliParts): Command {
  return command({
    usage: 'logs <job>',
    description: 'Print the output of a job’s tasks: stdout to stdout, stderr to stderr',
    examples: [
      'logs 0x3fa2',
      'logs 0x3fa2 --task 7',
      'logs 0x3fa2 --follow',
      'logs --work 0x90f7 --follow',
    ],
  })
    .argument('<job>', 'id of a job, or with --work of a share, or a unique start of one')
    .option('--task <index>', 'of one task only')
    .option('--work', 'of a share that this node runs for others')
    .option('--follow', 'go on until the job or share has ended')
    .action(
      async (
        id: string,
        options: CommonOptions & {
          readonly task?: string
          readonly follow?: boolean
          readonly work?: boolean
        },
      ) => {
        const { node, json } = contextOf(parts, options)
        const client = await node()
        const query = new URLSearchParams({
          ...(options.task !== undefined && { task: options.task }),
          ...(options.follow === true && { follow: 'true' }),
        })
        const outputs = [jobOutput(parts.stdout), jobOutput(parts.stderr)] as const
        using stop = interruptible(parts)
        const path = `/v1/${options.work === true ? 'work' : 'jobs'}/${encodeURIComponent(id)}/logs?${query.toString()}`
        try {
          for await (const event of client.events<JobEventBody>(path, { signal: stop.signal })) {
            if (event.type !== 'log') continue
            if (json) await printJson(parts.stdout, event)
            else
              await print(
                event.stream === 1 ? outputs[0] : outputs[1],
                Buffer.from(event.data, 'base64'),
              )
          }
        } catch (error) {
          // The user has seen enough.
          if (!stop.signal.aborted) throw error
        }
      },
    )
}
