import type { Command } from 'commander'
import type { JobSummary } from '../../api/schemas/jobs.ts'
import type { WorkListBody } from '../../api/schemas/money.ts'
import type { WorkflowBody } from '../../api/schemas/workflows.ts'
import { short } from '../../domain/ids.ts'
import { formatAmount } from '../../domain/money.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { columns } from '../output/columns.ts'
import type { Style } from '../output/style.ts'
import { dateText, stateText } from '../output/words.ts'
import { treeRows } from '../output/workflow-text.ts'
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
      const { workflows } = await client.get<{ readonly workflows: readonly WorkflowBody[] }>(
        '/v1/workflows',
      )
      return show({ ...list, workflows }, () => jobLines(list.jobs, workflows, style))
    })
}

/** Jobs and workflows, the newest first; a workflow's jobs are under it. */
function jobLines(
  jobs: readonly JobSummary[],
  workflows: readonly WorkflowBody[],
  style: Style,
): string[] {
  const shown = new Set(workflows.map(({ id }) => id))
  const rows = [
    ...jobs
      .filter(({ origin }) => origin === undefined || !shown.has(origin.workflow))
      .map((job) => ({ at: job.createdAt, rows: [jobRow(job, style)] })),
    ...workflows.map((each) => ({
      at: each.createdAt,
      rows: [workflowRow(each, style), ...treeRows(each, style)],
    })),
  ]
  if (rows.length === 0) return ['No jobs yet. `hive run --help` shows how to start one.']
  return columns(
    ['JOB', 'STATE', 'TASKS', 'FAILED', 'PROGRAM', 'STARTED', ''],
    rows.toSorted((a, b) => b.at - a.at).flatMap((each) => each.rows),
  )
}

function jobRow(job: JobSummary, style: Style): string[] {
  return [
    short(job.id),
    stateText(job.state, style),
    `${job.done}/${job.tasks}`,
    String(job.failed),
    job.image,
    dateText(job.createdAt),
    job.error?.code ?? '',
  ]
}

function workflowRow(workflow: WorkflowBody, style: Style): string[] {
  const { id, state, steps, createdAt, error } = workflow
  const settled = steps.filter((step) => step.state === 'settled').length
  const failed = steps.filter((step) => step.state === 'failed').length
  return [
    short(id),
    stateText(state, style),
    `${settled}/${steps.length}`,
    String(failed),
    'workflow',
    dateText(createdAt),
    error?.code ?? '',
  ]
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
