import type { Bytes32 } from './ids.ts'

/** Deepest that the hearers of offers are split: into 2^16 shelves. Source: docs/protocol/offers.md, Topics. */
export const MAX_SHELF_DEPTH = 16
/** Fewest listeners of a shelf that offers are announced on; below it chance leaves too few. */
export const LEAST_HEARERS = 16
/** How many times the bids that are wanted an offer's first shelf should bring: they choose, and some are slow. */
export const BID_MARGIN = 4
const POINT_BITS = 256
/** Weight of what came back for one offer against all before it. */
const LEARNING = 0.25
/** Least share of hearers believed to bid; a class in which nobody does must not be asked as a whole for ever. */
const LEAST_YIELD = 1 / 64

/** The first `depth` bits of a point, as `0` and `1`. */
export function prefixOf(point: Bytes32, depth: number): string {
  if (depth === 0) return ''
  return (BigInt(point) >> BigInt(POINT_BITS - depth)).toString(2).padStart(depth, '0')
}

/**
 * How deep the shelf lies on which an offer begins: as few hear it as should bring the `wanted` bids with a
 * margin, `bidShare` of them bidding. 0 where there are few listeners: then all hear it.
 */
export function offerDepth(listeners: number, bidShare: number, wanted: number): number {
  return depthWith(listeners, Math.max(LEAST_HEARERS, (wanted * BID_MARGIN) / bidShare))
}

/** How deep a provider listens: twice as deep as any offer begins, by its own count of the listeners. */
export function listeningDepth(listeners: number): number {
  return depthWith(listeners, LEAST_HEARERS / 2)
}

/**
 * How many times as many to ask next, when `bids` of those who were asked have bid: twice the bids that are wanted are
 * to come, if the share of bidders is what one more bid would make it. At least twice as many.
 */
export function wideningFactor(wanted: number, bids: number): number {
  return Math.max(2, (2 * wanted) / (bids + 1))
}

/**
 * What share of hearers is expected to bid after `bids` of about `hearers` have. Where bidding closed because
 * enough came, others may still have bid: that alone is no reason to expect less.
 */
export function nextBidShare(
  before: number,
  hearers: number,
  bids: number,
  closedEarly: boolean,
): number {
  const seen = Math.min(1, bids / Math.max(1, hearers))
  const now = closedEarly ? Math.max(before, seen) : seen
  return Math.min(1, Math.max(LEAST_YIELD, before + LEARNING * (now - before)))
}

function depthWith(listeners: number, least: number): number {
  if (listeners < 2 * least) return 0
  return Math.min(MAX_SHELF_DEPTH, Math.floor(Math.log2(listeners / least)))
}
