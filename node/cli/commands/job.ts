import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { BundleBody } from '../../api/schemas/bundle.ts'
import type { JobBody, TaskResultBody } from '../../api/schemas/jobs.ts'
import type { WorkBody, WorkListBody } from '../../api/schemas/money.ts'
import type { WorkflowBody } from '../../api/schemas/workflows.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import { short } from '../../domain/ids.ts'
import { formatAmount } from '../../domain/money.ts'
import { formatBytes, formatDuration } from '../../domain/units.ts'
import { command, contextOf, type CommandContext, type CommonOptions } from '../command.ts'
import { fetchOutputs } from '../job/outputs.ts'
import type { NodeClient } from '../node-client.ts'
import { columns, pairs } from '../output/columns.ts'
import { plain } from '../output/plain-text.ts'
import { printLine } from '../output/printing.ts'
import type { Style } from '../output/style.ts'
import { declinedText } from '../output/why-text.ts'
import { counted, dateText, stateText } from '../output/words.ts'
import { workflowLines } from '../output/workflow-text.ts'
import { writeStepOutputs } from '../workflow/run-workflow.ts'
import type { CliParts } from '../parts.ts'

/** `hive job`: one job, its results and its proofs. */
export function jobCommand(parts: CliParts): Command {
  return command({
    usage: 'job <id>',
    description: 'Show a job, fetch its outputs, or save what proves it',
    examples: ['job 0x3fa2', 'job 0x3fa2 --out ./results', 'job 0x3fa2 --bundle proof.json'],
  })
    .argument(
      '<id>',
      'id of a job or workflow, or a unique start of one; or of a share that this node works on',
    )
    .option('--out <dir>', 'write the output files to this folder')
    .option('--bundle <file>', 'write everything that `hive verify` needs to this file')
    .action(
      async (
        id: string,
        options: CommonOptions & { readonly out?: string; readonly bundle?: string },
      ) => {
        const context = contextOf(parts, options)
        const client = await context.node()
        if (options.bundle !== undefined) return bundle(context, client, id, options.bundle)
        const job = await jobOrOther(client, id)
        if ('steps' in job) return showWorkflow(context, client, job, options.out)
        if (!('request' in job)) return context.show(job, () => workLines(job, context.style))
        if (options.out === undefined)
          return context.show(job, () => jobLines(job, context.style, parts.now()))
        const dir = resolve(parts.cwd, options.out)
        const written = await fetchOutputs(job, dir, client, new AbortController().signal)
        return context.show({ job: job.id, written }, () => written)
      },
    )
}

async function bundle(
  { parts, json, show }: CommandContext,
  client: NodeClient,
  id: string,
  file: string,
): Promise<void> {
  const content = await client.get<BundleBody>(`/v1/jobs/${encodeURIComponent(id)}/bundle`)
  const path = resolve(parts.cwd, file)
  try {
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`)
  } catch (cause) {
    throw new HiveError('OUTPUT_UNWRITABLE', { path }, { cause })
  }
  if (json) return show({ job: content.job, file: path }, () => [])
  await printLine(
    parts.stdout,
    `${path}: ${counted(content.shares.length, 'share')} of ${content.job}`,
  )
}

async function showWorkflow(
  { parts, show, style }: CommandContext,
  client: NodeClient,
  workflow: WorkflowBody,
  out: string | undefined,
): Promise<void> {
  if (out === undefined) return show(workflow, () => workflowLines(workflow, style))
  const dir = resolve(parts.cwd, out)
  const written = await writeStepOutputs(workflow, dir, client, new AbortController().signal)
  return show({ workflow: workflow.id, written }, () => written)
}

/** A job of this node, or else a workflow, or a share that it works on. */
async function jobOrOther(
  client: NodeClient,
  id: string,
): Promise<JobBody | WorkflowBody | WorkBody> {
  const path = encodeURIComponent(id)
  try {
    return await client.get<JobBody>(`/v1/jobs/${path}`)
  } catch (error) {
    // An id that is not even written like one is unknown too.
    if (codeOf(error) !== 'INPUT_INVALID' && codeOf(error) !== 'JOB_UNKNOWN') throw error
    const { workflows } = await client.get<{ readonly workflows: readonly WorkflowBody[] }>(
      '/v1/workflows',
    )
    const found = workflows.filter((each) => each.id.startsWith(id))
    if (found.length === 1 && found[0] !== undefined) return found[0]
    const { works } = await client.get<WorkListBody>('/v1/work')
    const [work, ...others] = works.filter((each) => each.id.startsWith(id))
    if (work === undefined || others.length > 0)
      throw new HiveError('JOB_UNKNOWN', { id: id.slice(0, 80) }, { cause: error })
    return work
  }
}

function jobLines(job: JobBody, style: Style, now: number): string[] {
  const { spec, maxPrice, budget } = job.request
  const tokens = (text: string) => formatAmount(BigInt(text))
  return [
    ...pairs([
      ['job', job.id],
      ['state', stateText(job.state, style)],
      ['error', job.error === undefined ? undefined : style.bad(job.error.code)],
      ['declined', declinedLine(job)],
      ['program', `${spec.image.path.slice(1)} (${spec.kind}, ${formatBytes(spec.image.size)})`],
      ['arguments', spec.args.length === 0 ? undefined : spec.args.join(' ')],
      ['step', job.origin && `${job.origin.step} of ${short(job.origin.workflow)}`],
      ['tasks', `${job.done} of ${job.tasks} done, ${job.failed} failed`],
      ['cache', cacheLine(job)],
      ['again', againLine(job)],
      [
        'price',
        `at most ${tokens(maxPrice)} tokens a ${spec.service === undefined ? 'task' : 'second'}; promised ${tokens(job.paid)}`,
      ],
      ['budget', budget && `${tokens(budget)} tokens`],
      ['limits', limitsLine(job)],
      ['started', dateText(job.createdAt)],
      [
        'took',
        job.finishedAt === undefined ? undefined : formatDuration(job.finishedAt - job.createdAt),
      ],
    ]),
    ...shareLines(job, style),
    ...runningLines(job, now),
    ...taskLines(job),
  ]
}

function cacheLine({ cached }: JobBody): string | undefined {
  return cached === undefined ? undefined : `${counted(cached, 'task')} from cache, 0 paid`
}

/** Tasks that are run again, how they ended and when. */
function againLine({ again = [] }: JobBody): string | undefined {
  if (again.length === 0) return undefined
  const ends = new Set(again.flatMap(({ last }) => (last === undefined ? [] : endText(last))))
  const due = dateText(Math.min(...again.map(({ notBefore }) => notBefore)))
  const after = ends.size === 0 ? '' : ` after ${[...ends].slice(0, 4).join(', ')}`
  return `${counted(again.length, 'task')} to be run again${after}, from ${due}`
}

function endText({ reason, exitCode }: Pick<TaskResultBody, 'reason' | 'exitCode'>): string {
  return reason === 'exit' ? `exit ${exitCode}` : reason
}

/** How long each part of the job may take, and its rank among the others where it has one. */
function limitsLine({ request, termMs = request.spec.timeoutMs }: JobBody): string {
  const { timeouts = {}, priority } = request
  const limits = { queue: timeouts.queueMs, fetch: timeouts.fetchMs, run: termMs }
  const parts = Object.entries({ ...limits, total: timeouts.totalMs }).flatMap(([name, ms]) =>
    ms === undefined ? [] : [`${name} ${formatDuration(ms)}`],
  )
  return [...parts, ...(priority === undefined ? [] : [`priority ${priority}`])].join(', ')
}

/** What the newest offer met with, if it met with anything. */
function declinedLine({ id, answers }: JobBody): string | undefined {
  const last = answers?.at(-1)
  const text = last === undefined ? undefined : declinedText(last)
  return text === undefined ? undefined : `${text}; \`hive why ${id.slice(0, 10)}\` tells more`
}

function shareLines(job: JobBody, style: Style): string[] {
  if (job.shares.length === 0) return []
  return [
    '',
    ...columns(
      ['SHARE', 'PROVIDER', 'TASKS', 'TRY', 'STATE', 'PAID', ''],
      job.shares.map((share) => [
        short(share.id),
        short(share.provider),
        String(share.tasks.length),
        String(share.attempt),
        stateText(share.state, style),
        share.amount === undefined ? '-' : formatAmount(BigInt(share.amount)),
        share.error ?? '',
      ]),
    ),
  ]
}

/** Tasks that run now, and how far they say that they are. */
function runningLines({ running = [], request }: JobBody, now: number): string[] {
  if (running.length === 0) return []
  return [
    '',
    ...columns(
      ['RUNNING', 'PROVIDER', 'TRY', 'FOR', 'REACHED'],
      running.map(({ task, provider, attempt, startedAt, percent }) => [
        request.spec.inputs[task]?.name ?? String(task),
        short(provider),
        String(attempt),
        formatDuration(Math.max(0, now - startedAt)),
        percent === undefined ? '-' : `${percent} %`,
      ]),
    ),
  ]
}

function taskLines(job: JobBody): string[] {
  const done = job.results.filter((result) => result !== null)
  if (done.length === 0) return []
  const counted = done.some(({ usage }) => usage.fuel !== undefined)
  return [
    '',
    ...columns(
      ['TASK', 'END', 'TIME', 'CPU', 'MEMORY', ...(counted ? ['FUEL'] : []), 'FILES', ''],
      done.map((result) => [
        job.request.spec.inputs[result.index]?.name ?? String(result.index),
        endText(result),
        formatDuration(result.usage.wallMs),
        formatDuration(result.usage.cpuMs),
        formatBytes(result.usage.peakMemoryBytes),
        ...(counted ? [String(result.usage.fuel ?? '-')] : []),
        String(result.files.length),
        [...(result.attached === true ? ['attached'] : []), plain(result.detail)].join(' ').trim(),
      ]),
    ),
  ]
}

function workLines(work: WorkBody, style: Style): string[] {
  return pairs([
    ['share', work.id],
    ['state', stateText(work.state, style)],
    ['error', work.error],
    ['requester', work.requester],
    ['channel', work.channel],
    ['tasks', work.tasks.join(' ')],
    ['price', `${formatAmount(BigInt(work.price))} tokens`],
    [
      'asked',
      work.amount === undefined ? undefined : `${formatAmount(BigInt(work.amount))} tokens`,
    ],
    ['started', dateText(work.startedAt)],
  ])
}
