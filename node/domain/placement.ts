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
  return (
    bid.price <= offer.maxPrice &&
    bid.validUntil > now &&
    bid.capacity > 0 &&
    candidate.capacity > 0
  )
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
 * Deals `tasks` out over the qualifying candidates, those without faults where there are any, in rounds: in each, the
 * better candidate takes as many as it works on at a time before the next one gets any. Who never delivered to this
 * node takes part in the first round only, while others can be had. Pure: the same candidates in any order give the same
 * placement. What one provider takes may be several shares. Empty when nobody qualifies.
 */
export function place(
  offer: Offer,
  tasks: readonly number[],
  candidates: readonly Candidate[],
  now: number,
): Placement[] {
  const qualified = candidates.filter((each) => qualifies(each, offer, now))
  const faultless = qualified.filter(({ faults }) => faults === 0)
  const ranked = (faultless.length > 0 ? faultless : qualified).sort(compareCandidates)
  const proven = ranked.filter(({ proven: isProven }) => isProven)
  const taken = new Map<Candidate, number[]>()
  let at = 0
  for (let round = ranked; at < tasks.length && round.length > 0;) {
    for (const candidate of round) {
      if (at === tasks.length) break
      const own = taken.get(candidate)
      const more = tasks.slice(at, at + candidate.capacity)
      if (own === undefined) taken.set(candidate, more)
      else own.push(...more)
      at += more.length
    }
    round = proven.length > 0 ? proven : ranked
  }
  return [...taken].flatMap(([candidate, own]) => sharesOf(candidate, own))
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
