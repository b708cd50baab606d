import type { DeclineCode } from './decline-errors.ts'
import type { ErrorCode } from './error-codes.ts'
import type { Amount } from './money.ts'
import type { Resources } from './resources.ts'

/** The most that one task may ask of a provider. */
export interface MostForTask extends Resources {
  /** Memory that each of its `gpus` may need at most, bytes; left out: as much as was asked. */
  readonly gpuMemoryBytes?: number
}

/** Why a provider does not take an offer, and what it would take instead where that tells nobody's secrets. */
export interface Decline {
  readonly code: DeclineCode
  /** Most that one task may ask of this provider. */
  readonly most?: MostForTask
  /** What it would ask for such a task, reduced to `most` where that is named. */
  readonly lowestPrice?: Amount
}

/** Alike declines of several providers. */
export interface DeclineCount extends Decline {
  readonly count: number
}

/** What came back for one offer of a job. */
export interface OfferAnswers {
  /** When bidding closed, Unix ms. */
  readonly at: number
  /** Tasks on offer, and how many of them a provider took. */
  readonly tasks: number
  readonly placed: number
  /** Nodes that the offer was sent to. */
  readonly asked: number
  /** About how many nodes listen to such offers; left out where all of them were asked. */
  readonly listeners?: number
  /** Of those, the ones that neither bid nor declined in time. */
  readonly silent: number
  readonly bids: number
  readonly declines: readonly DeclineCount[]
  /** What kept bidders from taking the award. */
  readonly refusals: readonly { readonly code: ErrorCode; readonly count: number }[]
  /** What kept tasks from being placed on good bids, and how many; left out: nothing. */
  readonly unplaced?: { readonly code: ErrorCode; readonly tasks: number }
}

/** Rows with values of their own that a tally keeps; the rest is counted by code. */
const MAX_ROWS = 32

/** Counts alike declines, the most frequent first; bounded however many there are. */
export function tallied(declines: readonly Decline[]): readonly DeclineCount[] {
  const rows = grouped(declines, keyOf)
  const rest = rows
    .slice(MAX_ROWS)
    .flatMap(({ code, count }) => Array<Decline>(count).fill({ code }))
  return [...rows.slice(0, MAX_ROWS), ...grouped(rest, ({ code }) => code)]
}

/** Counts codes, the most frequent first. */
export function talliedCodes(codes: readonly ErrorCode[]): OfferAnswers['refusals'] {
  return grouped(
    codes.map((code) => ({ code })),
    ({ code }) => code,
  )
}

function grouped<T>(items: readonly T[], key: (item: T) => string): (T & { count: number })[] {
  const rows = new Map<string, T & { count: number }>()
  for (const item of items) {
    const row = rows.get(key(item)) ?? { ...item, count: 0 }
    rows.set(key(item), { ...row, count: row.count + 1 })
  }
  return [...rows.values()].sort((a, b) => b.count - a.count)
}

function keyOf({ code, most, lowestPrice }: Decline): string {
  const { cpuMillis, memoryBytes, diskBytes, gpus, gpuMemoryBytes } = most ?? {}
  return [code, cpuMillis, memoryBytes, diskBytes, gpus, gpuMemoryBytes, lowestPrice].join(' ')
}
