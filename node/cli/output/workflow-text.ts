import type { WorkflowBody } from '../../api/schemas/workflows.ts'
import { short } from '../../domain/ids.ts'
import { formatAmount } from '../../domain/money.ts'
import { formatDuration } from '../../domain/units.ts'
import { columns, pairs } from './columns.ts'
import type { Style } from './style.ts'
import { dateText, stateText } from './words.ts'

/** A workflow and its steps, for `hive job`. */
export function workflowLines(workflow: WorkflowBody, style: Style): string[] {
  const { id, state, error, paid, budget, totalMs, createdAt, finishedAt } = workflow
  const tokens = (text: string) => formatAmount(BigInt(text))
  const most = budget === undefined ? '' : `, at most ${tokens(budget)}`
  return [
    ...pairs([
      ['workflow', id],
      ['state', stateText(state, style)],
      ['error', error === undefined ? undefined : style.bad(error.code)],
      ['steps', progressText(workflow)],
      ['price', `promised ${tokens(paid)} tokens${most}`],
      ['limits', totalMs === undefined ? undefined : `total ${formatDuration(totalMs)}`],
      ['started', dateText(createdAt)],
      ['took', finishedAt === undefined ? undefined : formatDuration(finishedAt - createdAt)],
    ]),
    '',
    ...columns(
      ['STEP', 'STATE', 'JOB', 'TASKS', 'FAILED', 'NEEDS', ''],
      workflow.steps.map((step) => [step.name, ...stepCells(step, style)]),
    ),
  ]
}

/** How far it is, in a few words. */
export function progressText({ steps }: WorkflowBody): string {
  const settled = steps.filter((step) => step.state === 'settled').length
  const running = steps
    .filter((step) => step.state === 'running')
    .map(({ name, job }) => `${name} ${job?.done ?? 0}/${job?.tasks ?? '?'}`)
  return [`${settled} of ${steps.length} settled`, ...running].join(', ')
}

/** What `hive jobs` says of a workflow under its own line: one line a step. */
export function treeRows({ steps }: WorkflowBody, style: Style): string[][] {
  return steps.map(({ name, state, job, error }, at) => [
    `${at === steps.length - 1 ? '└' : '├'} ${job === undefined ? '' : short(job.id)}`.trimEnd(),
    stateText(state, style),
    job === undefined ? '-' : `${job.done}/${job.tasks}`,
    job === undefined ? '-' : String(job.failed),
    name,
    job === undefined ? '' : dateText(job.createdAt),
    error?.code ?? '',
  ])
}

function stepCells(
  { state, job, needs, error }: WorkflowBody['steps'][number],
  style: Style,
): string[] {
  return [
    stateText(state, style),
    job === undefined ? '-' : short(job.id),
    job === undefined ? '-' : `${job.done}/${job.tasks}`,
    job === undefined ? '-' : String(job.failed),
    needs.join(' ') || '-',
    error === undefined ? '' : whyText(error),
  ]
}

function whyText({ code, data }: NonNullable<WorkflowBody['error']>): string {
  const { needs, path } = data
  const of = [needs, path].find((each) => typeof each === 'string')
  return of === undefined ? code : `${code} ${String(of)}`
}
