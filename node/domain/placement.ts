import type { Bid } from './bid.ts'
import type { Address } from './ids.ts'
import type { Amount } from './money.ts'
import { MAX_SHARE_TASKS, type Offer } from './offer.ts'

/** A bid with what the requester knows about the bidder. */
export interface Candidate {
  readonly bid: Bid
  /** An open channel with this provider exists already, so no transaction is needed. */
  readonly affine: boolean
  /** Failures in a row that still count against this provider on this node. */
  readonly faults: number
  /** Tasks at a time that it is believed to run, whatever the bid claims. */
  readonly capacity: number
  /** Whether it ever delivered to this node. Who did not gets one round at most, while others can be had. */
  readonly proven: boolean
  /** What a task of its latest share took, ms; Infinity when none is known. */
  readonly msPerTask: number
  /** Breaks the last tie the same way everywhere and differently for every offer. */
  readonly lot: string
}

/** A provider's share. */
export interface Placement {
  readonly provider: Address
  /** Task indexes, ascending. */
  readonly tasks: readonly number[]
  readonly pricePerTask: Amount
  /** Tasks of the same provider's earlier shares of this placing, which come first. */
  readonly ahead: number
}

/** Whether a candidate may be used at all. `now` is Unix ms. */
function qualifies(candidate: Candidate, offer: Offer, now: number): boolean {
  const { bid } = candidate
  return bid.price <= offer.maxPrice && bid.validUntil > now && bid.capacity > 0
}

/** Total order, best first: fewer faults, price, a channel at hand, the image at hand, faster, sooner, lot. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.faults !== b.faults) return a.faults - b.faults
  if (a.bid.price !== b.bid.price) return a.bid.price < b.bid.price ? -1 : 1
  if (a.affine !== b.affine) return a.affine ? -1 : 1
  if (a.bid.cached !== b.bid.cached) return a.bid.cached ? -1 : 1
  if (a.msPerTask !== b.msPerTask) return a.msPerTask < b.msPerTask ? -1 : 1
  if (a.bid.etaMs !== b.bid.etaMs) return a.bid.etaMs - b.bid.etaMs
  return a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : 0
}

/**
 * Deals `tasks` out over the qualifying candidates, those without faults where there are any: each task goes where the fewest rounds are
 * waiting (a provider works on `capacity` tasks a round), ties to the better candidate. Pure:
 * the same candidates in any order give the same placement. What one provider takes may be several
 * shares. Empty when nobody qualifies.
 */
export function place(
  offer: Offer,
  tasks: readonly number[],
  candidates: readonly Candidate[],
  now: number,
): Placement[] {
  const ranked = candidates.filter((c) => qualifies(c, offer, now)).sort(compareCandidates)
  const faultless = ranked.filter(({ faults }) => faults === 0)
  const chosen = faultless.length > 0 ? faultless : ranked
  const shares = chosen.map((candidate) => ({ candidate, tasks: [] as number[] }))
  for (const task of tasks) {
    let best = shares[0]
    for (const share of shares) if (best === undefined || isBefore(share, best)) best = share
    best?.tasks.push(task)
  }
  return shares.flatMap(({ candidate, tasks: own }) => sharesOf(candidate, own))
}

/** What a provider takes, in shares of at most {@link MAX_SHARE_TASKS} tasks. */
function sharesOf({ bid }: Candidate, tasks: readonly number[]): Placement[] {
  const { provider, price: pricePerTask } = bid
  const starts = tasks.filter((_, at) => at % MAX_SHARE_TASKS === 0)
  return starts.map((_, at) => {
    const ahead = at * MAX_SHARE_TASKS
    return { provider, tasks: tasks.slice(ahead, ahead + MAX_SHARE_TASKS), pricePerTask, ahead }
  })
}

interface Share {
  readonly candidate: Candidate
  readonly tasks: readonly number[]
}

/** Whether the next task belongs to `a` rather than to `b`, which is not ranked after it. */
function isBefore(a: Share, b: Share): boolean {
  if (isFull(a) !== isFull(b)) return isFull(b)
  return rounds(a) < rounds(b)
}

/** Whether a stranger has what it may have while others can be had. */
function isFull(share: Share): boolean {
  return !share.candidate.proven && rounds(share) > 0
}

function rounds({ candidate, tasks }: Share): number {
  return Math.floor(tasks.length / candidate.capacity)
}
