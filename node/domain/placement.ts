import { badnessOf, compareCandidates, type Candidate } from './candidate.ts'
import type { ErrorCode } from './error-codes.ts'
import type { Address } from './ids.ts'
import { agreedAtOnce } from './metering.ts'
import type { Amount } from './money.ts'
import { MAX_SHARE_TASKS, type Offer } from './offer.ts'
import { OrderedQueue } from './ordered-queue.ts'

/** A provider's share. */
export interface Placement {
  readonly provider: Address
  /** Task indexes, ascending. */
  readonly tasks: readonly number[]
  readonly pricePerTask: Amount
  /** Tasks of the same provider's earlier shares of this placing, which come first. */
  readonly ahead: number
}

/** Within what tasks are to be placed; left out: without a bound. */
export interface PlacingLimits {
  /** Most that may be agreed on now, all shares together. */
  readonly budget?: Amount
  /** When the last task must have ended, Unix ms. */
  readonly deadlineAt?: number
}

/** Tasks dealt out, and what kept the others from being so. */
export interface Placing {
  readonly placements: readonly Placement[]
  /** Left out: nothing was left over, or nobody qualified. */
  readonly unplaced?: { readonly code: Unplaced; readonly tasks: number }
}

/** Why bids that were good were not taken. */
export type Unplaced = Extract<ErrorCode, 'JOB_BUDGET' | 'JOB_DEADLINE' | 'SPENDING_LIMIT'>

/** What a candidate was dealt so far. */
interface Hand {
  readonly candidate: Candidate
  /** Its place among all, best first; 0 for each where only the best will be asked for, so that nobody has sorted them. */
  readonly rank: number
  /** What a round of tasks is taken to last, ms. */
  readonly roundMs: number
  /** What is agreed for each task at once. */
  readonly price: Amount
  readonly tasks: number[]
  rounds: number
  /** When its next round would be over, ms from now. */
  nextEndMs: number
}

/** What there is to deal, while it is dealt. */
interface Deal {
  readonly tasks: readonly number[]
  at: number
  budget: Amount | undefined
  readonly leftMs: number
  readonly lacks: Set<'JOB_BUDGET' | 'JOB_DEADLINE'>
}

/** How strictly it is dealt. */
interface Pass {
  /** Who may have more than one round. */
  readonly again: readonly Hand[]
  /** Estimates count as if they were known. */
  readonly strict: boolean
  /** Nobody dearer gets what the rest would cost at the cheapest. */
  readonly thrifty: boolean
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

/**
 * Deals `tasks` out over the qualifying candidates, those without faults where there are any, in rounds: the better
 * candidate takes as many as it works on at a time before the next one gets any. Who never delivered to this node takes
 * part in the first round only, while others can be had. Pure: the same candidates in any order give the same
 * placement. What one provider takes may be several shares. Empty when nobody qualifies.
 *
 * Under a deadline, rounds after the first go where they end the soonest. What is known of a program's pace at a provider,
 * and a provider's own word of when it starts, can refuse tasks; where neither is known, a round is taken to last as long as
 * with the slowest that is known, or else the time limit of a task, and that decides who goes first and refuses nothing.
 * Under a budget, dearer bids are taken only as far as the rest would still be paid for at the cheapest.
 */
export function place(
  offer: Offer,
  tasks: readonly number[],
  candidates: readonly Candidate[],
  now: number,
  { budget, deadlineAt = Infinity }: PlacingLimits = {},
): Placing {
  const leftMs = deadlineAt - now
  const qualified = candidates.filter((each) => qualifies(each, offer, now))
  const inTime = qualified.filter(({ bid }) => bid.etaMs < leftMs)
  // Limits may pass everybody over, several times. Without, a job takes hundreds of ten thousand bids: a heap will do.
  const isLimited = budget !== undefined || leftMs < Infinity
  const all = handsOf(offer, isLimited ? inTime.toSorted(compareCandidates) : inTime, isLimited)
  const faultless = all.filter(({ candidate }) => badnessOf(candidate) === 0)
  const ranked = faultless.length > 0 ? faultless : all
  const proven = ranked.filter(({ candidate }) => candidate.proven)
  const deal: Deal = { tasks, at: 0, budget, leftMs, lacks: new Set() }
  const again = proven.length > 0 ? proven : ranked
  dealRounds(deal, ranked, { again, strict: true, thrifty: true })
  // Only limits leave anything over: then others cannot be had, and who was passed over is better than nobody.
  for (const thrifty of [true, false])
    if (deal.at < tasks.length) dealRounds(deal, all, { again: all, strict: false, thrifty })
  const used = all.filter((hand) => hand.tasks.length > 0)
  const placements = used.toSorted(byCandidate).flatMap(sharesOf)
  const left = tasks.length - deal.at
  if (left === 0 || qualified.length === 0) return { placements }
  const code = deal.lacks.has('JOB_BUDGET') ? 'JOB_BUDGET' : 'JOB_DEADLINE'
  return { placements, unplaced: { code, tasks: left } }
}

/** Empty hands; `isRanked` says that the best come first. */
function handsOf(offer: Offer, candidates: readonly Candidate[], isRanked: boolean): Hand[] {
  const slowest = candidates.reduce((most, { taskMs = 0 }) => Math.max(most, taskMs), 0)
  const estimateMs = slowest > 0 ? slowest : offer.taskTimeoutMs
  return candidates.map((candidate, at) => {
    const roundMs = candidate.taskMs ?? estimateMs
    const { etaMs, price } = candidate.bid
    return {
      candidate,
      rank: isRanked ? at : 0,
      roundMs,
      price: agreedAtOnce(offer, price),
      tasks: [],
      rounds: 0,
      nextEndMs: etaMs + roundMs,
    }
  })
}

/** Deals on until nothing is left, or nobody may have more. */
function dealRounds(deal: Deal, pool: readonly Hand[], { again, strict, thrifty }: Pass): void {
  const hasDeadline = deal.leftMs < Infinity
  const queue = new OrderedQueue<Hand>((a, b) => isBefore(a, b, hasDeadline))
  for (const hand of pool) queue.push(hand)
  const mayHaveMore = new Set(again)
  const cheapest = thrifty ? leastPrice(again) : 0n
  deal.lacks.clear()
  while (deal.at < deal.tasks.length) {
    const hand = queue.pop()
    if (hand === undefined) return
    const isKnown = strict || hand.candidate.taskMs !== undefined
    if (isKnown && hand.nextEndMs > deal.leftMs) deal.lacks.add('JOB_DEADLINE')
    else if (!take(deal, hand, cheapest)) deal.lacks.add('JOB_BUDGET')
    else if (mayHaveMore.has(hand)) queue.push(hand)
  }
}

function byCandidate(a: Hand, b: Hand): number {
  return a.rank - b.rank || compareCandidates(a.candidate, b.candidate)
}

/** First rounds by who is better; later ones by their end under a deadline, and otherwise in turn. */
function isBefore(a: Hand, b: Hand, hasDeadline: boolean): boolean {
  if (a.rounds === 0 || b.rounds === 0) {
    if (a.rounds !== b.rounds) return a.rounds === 0
  } else if (hasDeadline) {
    if (a.nextEndMs !== b.nextEndMs) return a.nextEndMs < b.nextEndMs
  } else if (a.rounds !== b.rounds) return a.rounds < b.rounds
  return byCandidate(a, b) < 0
}

/** One more round for a candidate. False when the budget has no task for it. */
function take(deal: Deal, hand: Hand, cheapest: Amount): boolean {
  const { tasks, at, budget } = deal
  const room = Math.min(hand.candidate.capacity, tasks.length - at)
  const count = Math.min(room, affordable(budget, hand.price, cheapest, tasks.length - at))
  if (count === 0) return false
  hand.tasks.push(...tasks.slice(at, at + count))
  hand.rounds += 1
  hand.nextEndMs += hand.roundMs
  deal.at += count
  if (budget !== undefined) deal.budget = budget - hand.price * BigInt(count)
  return true
}

/** How many tasks at `price` leave enough to have the rest of `left` at `cheapest`. */
function affordable(
  budget: Amount | undefined,
  price: Amount,
  cheapest: Amount,
  left: number,
): number {
  if (budget === undefined || price === 0n) return Infinity
  const isCheapest = price <= cheapest
  const spare = isCheapest ? budget : budget - cheapest * BigInt(left)
  return spare <= 0n ? 0 : Number(spare / (isCheapest ? price : price - cheapest))
}

function leastPrice(hands: readonly Hand[]): Amount {
  return hands.reduce((least, { price }) => (price < least ? price : least), hands[0]?.price ?? 0n)
}

/** What a provider takes, in shares of at most {@link MAX_SHARE_TASKS} tasks. */
function sharesOf({ candidate, tasks }: Hand): Placement[] {
  const { provider, price: pricePerTask } = candidate.bid
  const starts = tasks.filter((_, at) => at % MAX_SHARE_TASKS === 0)
  return starts.map((_, at) => {
    const ahead = at * MAX_SHARE_TASKS
    return { provider, tasks: tasks.slice(ahead, ahead + MAX_SHARE_TASKS), pricePerTask, ahead }
  })
}
