import type { Command } from 'commander'
import type { JobBody, JobSummary } from '../../api/schemas/jobs.ts'
import type { JobExtensionBody } from '../../api/schemas/job-handling.ts'
import { INVALID, problemLine, type Problem, type Reader } from '../../config/reading.ts'
import { amount, duration, integer } from '../../config/values.ts'
import { HiveError } from '../../domain/errors.ts'
import { MAX_ATTEMPTS, MAX_JOB_TIMEOUT_MS } from '../../domain/job-handling.ts'
import { MAX_TASK_TIMEOUT_MS } from '../../domain/offer.ts'
import { formatAmount } from '../../domain/money.ts'
import { formatDuration } from '../../domain/units.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { pairs } from '../output/columns.ts'
import type { CliParts } from '../parts.ts'

interface ExtendOptions extends CommonOptions {
  readonly queueTimeout?: string
  readonly totalTimeout?: string
  readonly timeout?: string
  readonly for?: string
  readonly attempts?: string
  readonly maxPrice?: string
  readonly budget?: string
}

/** `hive extend`: more time, attempts, price or budget for a job under way. */
export function extendCommand(parts: CliParts): Command {
  return command({
    usage: 'extend <job>',
    description: 'Give a job under way more time, attempts, price or budget; + adds to what it has',
    examples: [
      'extend 0x3fa2 --total-timeout +1h',
      'extend 0x3fa2 --attempts +2 --max-price 0.02',
      'extend 0x3fa2 --for +2h',
    ],
  })
    .argument('<job>', 'id of a job, or a unique start of one')
    .option('--queue-timeout <duration>', 'how long tasks may wait until a provider starts them')
    .option('--total-timeout <duration>', 'longest time from submission to the last result')
    .option('--attempts <n>', 'how often a task is run before it counts as failed')
    .option('--max-price <tokens>', 'most to pay for a task that nobody has agreed to yet')
    .option('--budget <tokens>', 'most to pay for all of the job')
    .option('--for <duration>', 'how long a service runs in all')
    .option('--timeout <duration>', 'longest run of a task: fixed once a job is offered')
    .action(async (id: string, options: ExtendOptions) => {
      const { node, show } = contextOf(parts, options)
      const client = await node()
      const path = `/v1/jobs/${encodeURIComponent(id)}`
      const job = await client.get<JobBody>(path)
      const extension = extensionOf(job, options)
      await client.post<JobSummary>(`${path}/extend`, extension)
      const { request, termMs } = await client.get<JobBody>(path)
      const { queueMs, totalMs } = request.timeouts ?? {}
      await show({ job: job.id, ...extension }, () =>
        pairs([
          ['job', job.id],
          ['queue', queueMs === undefined ? undefined : formatDuration(queueMs)],
          ['total', totalMs === undefined ? undefined : formatDuration(totalMs)],
          ['term', termMs === undefined ? undefined : formatDuration(termMs)],
          ['attempts', String(request.attempts)],
          ['price', `at most ${formatAmount(BigInt(request.maxPrice))} tokens a task`],
          ['budget', request.budget && `${formatAmount(BigInt(request.budget))} tokens`],
        ]),
      )
    })
}

/** The new values; those with a plus are added to what the job has. Throws `INPUT_INVALID`. */
function extensionOf(
  { request, termMs }: Pick<JobBody, 'request' | 'termMs'>,
  options: ExtendOptions,
): JobExtensionBody {
  const { queueMs, totalMs } = request.timeouts ?? {}
  const problems: Problem[] = []
  const wait = duration(MAX_JOB_TIMEOUT_MS)
  const run = duration(MAX_TASK_TIMEOUT_MS)
  const count = integer(1, MAX_ATTEMPTS)
  const number = (
    name: string,
    text: string | undefined,
    reader: Reader<number>,
    before: number | undefined,
  ) => {
    if (text === undefined) return undefined
    const isMore = text.startsWith('+')
    const value = reader.read(isMore ? text.slice(1) : text, `--${name}`, problems)
    if (value === INVALID) return undefined
    return isMore ? (before ?? 0) + value : value
  }
  const tokens = (name: string, text: string | undefined, before: string) => {
    if (text === undefined) return undefined
    const isMore = text.startsWith('+')
    const value = amount.read(isMore ? text.slice(1) : text, `--${name}`, problems)
    if (value === INVALID) return undefined
    return (isMore ? BigInt(before) + value : value).toString()
  }
  const all = {
    queueMs: number('queue-timeout', options.queueTimeout, wait, queueMs),
    totalMs: number('total-timeout', options.totalTimeout, wait, totalMs),
    timeoutMs:
      number('for', options.for, run, termMs ?? request.spec.timeoutMs) ??
      number('timeout', options.timeout, run, request.spec.timeoutMs),
    attempts: number('attempts', options.attempts, count, request.attempts),
    maxPrice: tokens('max-price', options.maxPrice, request.maxPrice),
    budget: tokens('budget', options.budget, request.budget ?? '0'),
  }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  if (problems.length === 0 && given.length === 0)
    problems.push({ path: '', text: 'say what there is to be more of; see `hive extend --help`' })
  if (problems.length > 0)
    throw new HiveError('INPUT_INVALID', { problems: problems.map(problemLine) })
  return Object.fromEntries(given)
}
