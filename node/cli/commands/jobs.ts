import type { Command } from 'commander'
import type { JobSummary } from '../../api/schemas/jobs.ts'
import type { WorkListBody } from '../../api/schemas/money.ts'
import { short } from '../../domain/ids.ts'
import { formatAmount } from '../../domain/money.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { columns } from '../output/columns.ts'
import { dateText, stateText } from '../output/words.ts'
import type { CliParts } from '../parts.ts'

/** `hive jobs`: what this node asked for, or works on. */
export function jobsCommand(parts: CliParts): Command {
  return command({
    usage: 'jobs',
    description: 'List the jobs of this node, the newest first',
    examples: ['jobs', 'jobs --work', 'jobs --json | jq -r \'.jobs[] | .id + " " + .state\''],
  })
    .option('--work', 'shares that this node works on for others, and what it earns')
    .action(async (options: CommonOptions & { readonly work?: boolean }) => {
      const { node, show, style } = contextOf(parts, options)
      const client = await node()
      if (options.work === true) {
        const work = await client.get<WorkListBody>('/v1/work')
        return show(work, () => workLines(work))
      }
      const list = await client.get<{ readonly jobs: readonly JobSummary[] }>('/v1/jobs')
      return show(list, () =>
        list.jobs.length === 0
          ? ['No jobs yet. `hive run --help` shows how to start one.']
          : columns(
              ['JOB', 'STATE', 'TASKS', 'FAILED', 'PROGRAM', 'STARTED', ''],
              list.jobs.map((job) => [
                short(job.id),
                stateText(job.state, style),
                `${job.done}/${job.tasks}`,
                String(job.failed),
                job.image,
                dateText(job.createdAt),
                job.error?.code ?? '',
              ]),
            ),
      )
    })
}

function workLines({ works, earnings }: WorkListBody): string[] {
  if (works.length === 0) return ['No work yet.']
  const tokens = (text: string) => formatAmount(BigInt(text))
  return [
    ...columns(
      ['SHARE', 'STATE', 'TASKS', 'REQUESTER', 'PRICE', 'STARTED', ''],
      works.map((work) => [
        short(work.id),
        work.state,
        String(work.tasks.length),
        short(work.requester),
        tokens(work.amount ?? work.price),
        dateText(work.startedAt),
        work.error ?? '',
      ]),
    ),
    '',
    ...columns(
      ['CHANNEL', 'REQUESTER', 'SHARES', 'PROMISED', 'CLAIMED', 'DEPOSIT'],
      earnings.map((earning) => [
        short(earning.channel),
        short(earning.requester),
        String(earning.jobs),
        tokens(earning.promised),
        tokens(earning.claimed),
        tokens(earning.deposit),
      ]),
    ),
  ]
}
