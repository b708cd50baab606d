import type { OfferAnswersBody } from '../../api/schemas/answers.ts'
import type { WhyBody } from '../../api/schemas/why.ts'
import { ERROR_CODES } from '../../domain/error-codes.ts'
import { isErrorCode } from '../../domain/errors.ts'
import { formatBytes, formatDuration } from '../../domain/units.ts'
import { columns } from './columns.ts'
import { plain } from './plain-text.ts'
import type { Style } from './style.ts'
import { counted, stateText, tokens } from './words.ts'

type Decline = OfferAnswersBody['declines'][number]
type Amounts = Partial<WhyBody['ask']>

/** Why a job is not taken: what the newest offer met with, by reason, and what would help. */
export function whyLines(why: WhyBody, style: Style): string[] {
  const { id, state, error, answers } = why
  const code = error === undefined ? [] : [style.bad(error.code)]
  const head = [style.bold(id.slice(0, 10)), stateText(state, style), ...code].join(' ')
  const last = answers.at(-1)
  if (last === undefined) return [head, 'Nobody has declined any of this job’s offers.']
  const earlier = answers.length - 1
  return [
    head,
    ...answerLines(why, last),
    ...(earlier > 0
      ? [
          style.dim(
            `${counted(earlier, 'earlier offer')} met with refusals too: --json lists them.`,
          ),
        ]
      : []),
    ...whatIfLines(why, style),
  ]
}

/** The reasons in one line, such as `3 x DECLINED_PRICE`; `undefined` where nobody declined. */
export function declinedText({ declines, refusals }: OfferAnswersBody): string | undefined {
  const counts = new Map<string, number>()
  for (const { code, count } of [...declines, ...refusals])
    counts.set(code, (counts.get(code) ?? 0) + count)
  const parts = [...counts].map(([code, count]) => `${count} x ${plain(code)}`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** Why tasks found no place though there were bids that are good. */
export function unplacedLines({ unplaced }: OfferAnswersBody): string[] {
  if (unplaced === undefined) return []
  const { code, tasks } = unplaced
  return [`${counted(tasks, 'task')}: ${plain(code)}. ${textOf(code)}`]
}

function answerLines({ kind, bidWindowMs, connected }: WhyBody, last: OfferAnswersBody): string[] {
  const { asked, listeners, silent, bids, tasks, placed, declines, refusals } = last
  const declined = declines.reduce((sum, { count }) => sum + count, 0)
  const window = formatDuration(bidWindowMs)
  if (asked === 0 && bids === 0)
    return [
      `The offer reached nobody: in ${window}, no node was found that takes ${kind} jobs.`,
      ...(connected === undefined ? [] : [connectedText(connected)]),
      `\`hive peers --need kind=${kind}\` asks the whole network; \`hive status\` shows whether this node has joined it.`,
    ]
  const silence =
    silent === 0 ? '' : `, ${silent} silent for the ${window} of the bid window (--bid-window)`
  const of = listeners === undefined ? '' : ` of about ${listeners} that listen to such offers`
  return [
    `${counted(asked, 'node')} asked${of}: ${counted(bids, 'bid')}, ${declined} declined${silence}.`,
    ...(placed < tasks ? [`${tasks - placed} of ${counted(tasks, 'task')} found no place.`] : []),
    ...unplacedLines(last),
    ...reasonLines(declines, refusals),
  ]
}

function connectedText({ nodes, kinds }: NonNullable<WhyBody['connected']>): string {
  const taken = Object.entries(kinds).map(([kind, count]) => `${plain(kind)} (${count})`)
  const what = taken.length === 0 ? 'no jobs at all' : taken.join(', ')
  return nodes === 0
    ? 'No node is connected now: network.bootstrap names nodes to join through.'
    : `${counted(nodes, 'node')} connected now, taking ${what}.`
}

function reasonLines(
  declines: OfferAnswersBody['declines'],
  refusals: OfferAnswersBody['refusals'],
): string[] {
  const rows = [
    ...declines.map((row) => [String(row.count), plain(row.code), meaning(row)]),
    ...refusals.map((row) => [
      String(row.count),
      plain(row.code),
      `${textOf(row.code)} It had bid before.`,
    ]),
  ]
  return rows.length === 0 ? [] : ['', ...columns(['NODES', 'REASON', ''], rows)]
}

function meaning({ code, most, lowestPrice }: Decline): string {
  const size = most === undefined ? [] : [`At most ${listed(most)} a task.`]
  const price = lowestPrice === undefined ? [] : [`It asks ${tokens(BigInt(lowestPrice))}.`]
  return [textOf(code), ...size, ...price].join(' ')
}

function whatIfLines({ ask, whatIf }: WhyBody, style: Style): string[] {
  if (whatIf.length === 0) return []
  const lines = whatIf.map(
    ({ change, bids }) => `  with ${listed(change, ask)}: ${style.good(counted(bids, 'bid'))}`,
  )
  return ['', style.bold('What if'), ...lines]
}

/** Amounts in words, each with what stands there now where that is given. */
function listed(amounts: Amounts, now: Amounts = {}): string {
  const text = (value: Amounts) => [
    value.maxPrice === undefined ? undefined : tokens(BigInt(value.maxPrice)),
    value.cpuMillis === undefined ? undefined : counted(value.cpuMillis / 1000, 'core'),
    value.memoryBytes === undefined ? undefined : `${formatBytes(value.memoryBytes)} of memory`,
    value.diskBytes === undefined ? undefined : `${formatBytes(value.diskBytes)} of disk`,
    value.gpus === undefined || value.gpus === 0 ? undefined : counted(value.gpus, 'GPU'),
    value.gpuMemoryBytes === undefined
      ? undefined
      : `${formatBytes(value.gpuMemoryBytes)} of GPU memory`,
  ]
  const before = text(now)
  return text(amounts)
    .flatMap((each, at) => {
      if (each === undefined) return []
      const instead = before[at]?.replace(/ of (memory|disk|GPU memory)$/, '')
      return [instead === undefined ? each : `${each} instead of ${instead}`]
    })
    .join(', ')
}

function textOf(code: string): string {
  return isErrorCode(code) ? ERROR_CODES[code].what : 'No reason that this version knows.'
}
