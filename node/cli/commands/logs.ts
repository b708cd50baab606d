import type { Command } from 'commander'
import type { JobEventBody } from '../../api/schemas/jobs.ts'
import type { WorkLogsBody } from '../../api/schemas/money.ts'
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
      'logs --work 0x90f7…',
    ],
  })
    .argument('<job>', 'id of a job, or a unique start of one')
    .option('--task <index>', 'of one task only')
    .option('--work', 'of a share that this node runs for others, by its whole id, so far')
    .option('--follow', 'go on until the job has ended')
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
        if (options.work === true) {
          const { pieces } = await client.get<WorkLogsBody>(
            `/v1/work/${encodeURIComponent(id)}/logs`,
          )
          for (const piece of pieces) {
            if (options.task !== undefined && String(piece.index) !== options.task) continue
            const output = piece.stream === 1 ? outputs[0] : outputs[1]
            if (json) await printJson(parts.stdout, piece)
            else await print(output, Buffer.from(piece.data, 'base64'))
          }
          return
        }
        using stop = interruptible(parts)
        const path = `/v1/jobs/${encodeURIComponent(id)}/logs?${query.toString()}`
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
