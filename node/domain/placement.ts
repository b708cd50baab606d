import type { Bid } from './bid.ts'
import type { Address } from './ids.ts'
import type { Amount } from './money.ts'
import { MAX_SHARE_TASKS, type Offer } from './offer.ts'

/** A bid with what the requester knows about the bidder. */
export interface Candidate {
  readonly bid: Bid
  /** An open channel with this provider exists already, so no transaction is needed. */
  readonly affine: boolean
  /** Failures seen from this provider on this node. */
  readonly faults: number
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

/** Total order, best first: price, fewer faults, a channel at hand, the image at hand, sooner, lot. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.bid.price !== b.bid.price) return a.bid.price < b.bid.price ? -1 : 1
  if (a.faults !== b.faults) return a.faults - b.faults
  if (a.affine !== b.affine) return a.affine ? -1 : 1
  if (a.bid.cached !== b.bid.cached) return a.bid.cached ? -1 : 1
  if (a.bid.etaMs !== b.bid.etaMs) return a.bid.etaMs - b.bid.etaMs
  return a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : 0
}

/**
 * Deals `tasks` out over the qualifying candidates: each task goes where the fewest rounds are
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
  const shares = ranked.map((candidate) => ({ candidate, tasks: [] as number[] }))
  for (const task of tasks) {
    let best = shares[0]
    for (const share of shares) if (best === undefined || rounds(share) < rounds(best)) best = share
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

function rounds(share: {
  readonly candidate: Candidate
  readonly tasks: readonly number[]
}): number {
  return Math.floor(share.tasks.length / share.candidate.bid.capacity)
}
