import type { Command } from 'commander'
import type { QuoteBody } from '../../api/schemas/quotes.ts'
import { HiveError } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/units.ts'
import { command, contextOf } from '../command.ts'
import { readDocument, readJob } from '../job/job-file.ts'
import { uploadJob } from '../job/upload.ts'
import { columns } from '../output/columns.ts'
import { counted, tokens } from '../output/words.ts'
import { declinedText, unplacedLines } from '../output/why-text.ts'
import type { CliParts } from '../parts.ts'
import { isWorkflow } from '../workflow/workflow-file.ts'
import { withJobOptions } from './job-options.ts'
import { jobFlags, type RunOptions } from './run-flags.ts'

/** `hive quote`: what a job would cost, from the bids for it; nothing is agreed. */
export function quoteCommand(parts: CliParts): Command {
  const usual = command({
    usage: 'quote <program> [args...]',
    description: 'Ask what a job would cost, and commit to nothing; takes what `hive run` takes',
    examples: ['quote job.yaml', 'quote tracer.wasm --tasks 24 --cpu 2 --memory 1GiB'],
  })
  return withJobOptions(usual).action(
    async (program: string, args: string[], options: RunOptions) => {
      const { node, show } = contextOf(parts, options)
      const document = await readDocument(program, parts.cwd)
      if (document !== undefined && isWorkflow(document))
        throw new HiveError('INPUT_INVALID', {
          problems: [`${program}: a workflow; ask for the price of its steps one by one`],
        })
      const draft = await readJob(program, jobFlags(options, args), parts.cwd)
      const client = await node()
      const { signal } = new AbortController()
      const request = await uploadJob(draft, parts, client, signal)
      const quote = await client.post<QuoteBody>('/v1/quotes', request, { signal })
      await show(quote, () => lines(quote, draft.pay !== undefined))
    },
  )
}

function lines(
  { tasks, placed, bids, price, total, byMs, shares, answers }: QuoteBody,
  isPaidByUse: boolean,
): string[] {
  const declined = declinedText(answers)
  const others = declined === undefined ? [] : [`Declined: ${declined}.`]
  if (price === undefined)
    return [`Nobody bids for it: ${counted(answers.asked, 'node')} asked.`, ...others]
  const left = tasks - placed
  return [
    `${isPaidByUse ? 'At most ' : ''}${tokens(BigInt(total))} for ${counted(placed, 'task')}, all done within ${formatDuration(byMs)} at the latest.`,
    ...(left > 0 ? [`${counted(left, 'task')} would find no place.`] : []),
    ...unplacedLines(answers),
    `${counted(bids, 'bid')}, ${tokens(BigInt(price.lowest))} to ${tokens(BigInt(price.highest))} a task, half of them at most ${tokens(BigInt(price.median))}.`,
    ...others,
    '',
    ...columns(
      ['provider', 'tasks', isPaidByUse ? 'a task, at most' : 'a task', 'starts in', 'channel'],
      shares.map((share) => [
        share.provider.slice(0, 10),
        String(share.tasks),
        tokens(BigInt(share.pricePerTask)),
        formatDuration(share.etaMs),
        share.opensChannel ? 'to open' : 'open',
      ]),
    ),
  ]
}
