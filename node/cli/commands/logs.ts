import type { Command } from 'commander'
import type { JobEventBody } from '../../api/schemas/jobs.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { LogPrinter } from '../job/log-printer.ts'
import { printJson } from '../output/printing.ts'
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
    .option('--all', 'also of runs without a result, where there is one')
    .action(
      async (
        id: string,
        options: CommonOptions & {
          readonly task?: string
          readonly follow?: boolean
          readonly work?: boolean
          readonly all?: boolean
        },
      ) => {
        const { node, json } = contextOf(parts, options)
        const client = await node()
        const query = new URLSearchParams({
          ...(options.task !== undefined && { task: options.task }),
          ...(options.follow === true && { follow: 'true' }),
          ...(options.all === true && { all: 'true' }),
        })
        using stop = interruptible(parts)
        const printer = new LogPrinter(parts.stdout, parts.stderr)
        const of = options.work === true ? 'work' : 'jobs'
        const path = `/v1/${of}/${encodeURIComponent(id)}/logs?${query.toString()}`
        try {
          for await (const event of client.events<JobEventBody>(path, { signal: stop.signal })) {
            if (event.type !== 'log' && event.type !== 'run') continue
            if (json) await printJson(parts.stdout, event)
            else await printer.take(event)
          }
        } catch (error) {
          // The user has seen enough.
          if (!stop.signal.aborted) throw error
        }
      },
    )
}
