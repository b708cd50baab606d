import type { Bid } from './bid.ts'
import { isMetered } from './metering.ts'
import { parseAmount, type Amount } from './money.ts'
import type { Offer } from './offer.ts'
import { second } from './units.ts'

/** What the contract remembers of a provider, as far as it counts in placing. */
export interface Reputation {
  /** Cases that it lost. */
  readonly faults: number
  /** Doublings of the platform fees ever taken from payments to it; 0 for none. See {@link standingOf}. */
  readonly standing: number
}

/** Of whom nothing is known: no more is held against it than against a newcomer. */
export const UNKNOWN_REPUTATION: Reputation = { faults: 0, standing: 0 }

/** A bid with what the requester knows about the bidder. */
export interface Candidate {
  readonly bid: Bid
  /** What a task counts for where bids are compared. See {@link comparedCost}. */
  readonly cost: Amount
  /** An open channel with this provider exists already, so no transaction is needed. */
  readonly affine: boolean
  /** Failures in a row that still count against this provider on this node. */
  readonly faults: number
  readonly reputation: Reputation
  /** Tasks at a time that it is believed to run, whatever the bid claims. */
  readonly capacity: number
  /** Whether it ever delivered to this node. Who did not gets one round at most, while others can be had. */
  readonly proven: boolean
  /** Of what the job needs, what this node gave it or had from it of late, bytes. */
  readonly holds: number
  /** What a task of this very program took there last, ms; left out: not known. */
  readonly taskMs?: number
  /** What a task of its latest share took, of whatever program, ms; Infinity when none is known. */
  readonly msPerTask: number
  /** Breaks the last tie the same way everywhere and differently for every offer. */
  readonly lot: string
}

/**
 * What opening a channel counts for unless the operator says otherwise, tokens: as much as starting a task by the default
 * price list. Gas is paid in another coin than tasks, so that no exchange rate could tell; the wait for the chain is not in it.
 */
export const DEFAULT_CHANNEL_COST: Amount = parseAmount('0.001')

/**
 * What a task, or a second of a service, counts for: the bid's price and, where a channel would have to be opened, an even
 * part of what that counts for, over what the provider could take of the job at once. Rounded up.
 */
export function comparedCost(
  offer: Pick<Offer, 'payEveryMs' | 'taskTimeoutMs'>,
  { bid, affine, capacity }: Pick<Candidate, 'bid' | 'affine' | 'capacity'>,
  tasks: number,
  channelCost: Amount,
): Amount {
  if (affine) return bid.price
  const seconds = isMetered(offer) ? Math.max(1, Math.ceil(offer.taskTimeoutMs / second)) : 1
  const parts = BigInt(Math.max(1, Math.min(tasks, capacity))) * BigInt(seconds)
  return bid.price + (channelCost + parts - 1n) / parts
}

/** Fees in doublings, so that a little more of them decides nothing: 0 for none, otherwise 1 + ⌊log2⌋ of base units. */
export function standingOf(feesPaid: Amount): number {
  return feesPaid > 0n ? feesPaid.toString(2).length : 0
}

/** What counts against a provider, whether this node or the contract saw it. */
export function badnessOf({ faults, reputation }: Candidate): number {
  return faults + reputation.faults
}

/**
 * Total order, best first: fewer faults, cost, standing, the image at hand, more of the data at hand, a channel at hand,
 * faster, sooner, lot.
 */
export function compareCandidates(a: Candidate, b: Candidate): number {
  const worse = badnessOf(a) - badnessOf(b)
  if (worse !== 0) return worse
  if (a.cost !== b.cost) return a.cost < b.cost ? -1 : 1
  const standing = b.reputation.standing - a.reputation.standing
  if (standing !== 0) return standing
  if (a.bid.cached !== b.bid.cached) return a.bid.cached ? -1 : 1
  if (a.holds !== b.holds) return b.holds - a.holds
  if (a.affine !== b.affine) return a.affine ? -1 : 1
  if (a.msPerTask !== b.msPerTask) return a.msPerTask < b.msPerTask ? -1 : 1
  if (a.bid.etaMs !== b.bid.etaMs) return a.bid.etaMs - b.bid.etaMs
  return a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : 0
}
