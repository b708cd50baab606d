import type { DeclineCount, MostForTask } from './decline.ts'
import type { Amount } from './money.ts'

/** What a job asks of one task's provider, as far as a user can ask for less. */
export interface Ask extends MostForTask {
  readonly maxPrice: Amount
}

/** A change to what a job asks, and the bids that the answers promise for it. */
export interface WhatIf {
  readonly change: Partial<Ask>
  readonly bids: number
}

const QUANTITIES = ['cpuMillis', 'memoryBytes', 'diskBytes', 'gpus', 'gpuMemoryBytes'] as const
/** Of a provider that names the most it has: what it does not name of these is as much as was asked. */
const UNNAMED: ReadonlySet<string> = new Set(['gpuMemoryBytes'])
const FIELDS = ['maxPrice', ...QUANTITIES] as const
/** What a job can ask nothing of. */
const MAY_BE_NONE: ReadonlySet<string> = new Set(['diskBytes', 'gpuMemoryBytes'])
/** Steps along one field that are worth reading. */
const MAX_STEPS = 3

/**
 * What would bring more than the `bids` that came, from what the declining providers said: each
 * field changed alone, in steps from what is asked to what most would take, then all that is needed at once.
 */
export function whatIf(
  ask: Ask,
  bids: number,
  declines: readonly DeclineCount[],
): readonly WhatIf[] {
  const wanted = declines.flatMap((row) => {
    const change = changeFor(ask, row)
    return change === undefined ? [] : [{ change, count: row.count }]
  })
  const promised = (change: Partial<Ask>): WhatIf => ({
    change,
    bids: wanted.reduce((sum, row) => (meets(change, row.change) ? sum + row.count : sum), bids),
  })
  const alone = FIELDS.flatMap((field) => {
    const levels = wanted.flatMap(({ change }) =>
      Object.keys(change).length === 1 && change[field] !== undefined
        ? [{ [field]: change[field] }]
        : [],
    )
    return stepsOf(levels.sort((a, b) => (meets(b, a) ? -1 : 1)).map(promised))
  })
  const together = promised(wanted.reduce((sum, row) => farther(sum, row.change), {}))
  const best = Math.max(bids, ...alone.map((each) => each.bids))
  return together.bids > best ? [...alone, together] : alone
}

/** The least that must change for a provider of this row; `undefined` where nothing that it said would do. */
function changeFor(ask: Ask, { most, lowestPrice }: DeclineCount): Partial<Ask> | undefined {
  const less = QUANTITIES.flatMap((field) => {
    const limit = most?.[field] ?? (most === undefined || UNNAMED.has(field) ? Infinity : 0)
    return limit < (ask[field] ?? 0) ? [[field, limit] as const] : []
  })
  const isOutOfReach = less.some(([field, limit]) => limit <= 0 && !MAY_BE_NONE.has(field))
  const dearer = lowestPrice !== undefined && lowestPrice > ask.maxPrice
  if (isOutOfReach || (less.length === 0 && !dearer)) return undefined
  return { ...Object.fromEntries(less), ...(dearer && { maxPrice: lowestPrice }) }
}

/** Whether `change` goes as far as `needed` in every field that it needs. */
function meets(change: Partial<Ask>, needed: Partial<Ask>): boolean {
  const isLess = QUANTITIES.every(
    (field) => needed[field] === undefined || (change[field] ?? Infinity) <= needed[field],
  )
  return isLess && (needed.maxPrice === undefined || (change.maxPrice ?? 0n) >= needed.maxPrice)
}

/** Both changes at once. */
function farther(a: Partial<Ask>, b: Partial<Ask>): Partial<Ask> {
  const less = QUANTITIES.flatMap((field) =>
    a[field] === undefined && b[field] === undefined
      ? []
      : [[field, Math.min(a[field] ?? Infinity, b[field] ?? Infinity)] as const],
  )
  const prices = [a.maxPrice, b.maxPrice].filter((price) => price !== undefined)
  const dearest = prices.toSorted((x, y) => (x < y ? 1 : -1))[0]
  return { ...Object.fromEntries(less), ...(dearest !== undefined && { maxPrice: dearest }) }
}

/** Of steps that bring ever more bids: those that add some, the nearest and the last among them. */
function stepsOf(steps: readonly WhatIf[]): readonly WhatIf[] {
  const adding = steps.filter((step, at) => at === 0 || step.bids > (steps[at - 1]?.bids ?? 0))
  const last = adding.at(-1)
  return adding.length <= MAX_STEPS || last === undefined
    ? adding
    : [...adding.slice(0, MAX_STEPS - 1), last]
}
