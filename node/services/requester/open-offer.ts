import type { Bid, BondOffer } from '../../domain/bid.ts'
import type { Decline } from '../../domain/decline.ts'
import type { PeerId } from '../../domain/ids.ts'
import { wideningFactor } from '../../domain/rendezvous.ts'
import type { Signed } from '../../protocol/envelope.ts'
import type { Ladder, Rung } from './asking.ts'

/** A bid that passed every rule, with what is needed to act on it. */
export interface ReceivedBid {
  readonly peer: PeerId
  readonly bid: Bid
  readonly bondOffer: BondOffer
  readonly bondSignature: Uint8Array
}

/** What came back for an offer. */
export interface BiddingOutcome {
  readonly bids: readonly ReceivedBid[]
  readonly declines: Readonly<Record<PeerId, Decline>>
  /** Nodes that the offer was sent to. */
  readonly asked: number
  /** About how many nodes listen to such offers. */
  readonly listeners: number
  /** Of those asked, the ones that did not answer until it closed. */
  readonly silent: number
}

/** An offer while it collects bids. */
export interface OpenOffer {
  readonly offer: Signed<'Offer'>
  readonly ladder: Ladder
  /** The only ones who may bid; `undefined`: anybody. */
  readonly only: ReadonlySet<PeerId> | undefined
  /** Steps of the ladder that were taken. */
  steps: number
  /** When the next one is due, Unix ms. */
  widenAt: number
  /** Until when those may answer who heard the last one from others, Unix ms. */
  settledAt: number
  /** Whether it is just being sent to nodes one by one. */
  reaching: boolean
  /** Until when that is waited for where there are bids already, Unix ms. */
  reachUntil: number
  /** Whom it was sent to. Keys are free, so only these few can close it and have their declines kept. */
  readonly heard: Set<PeerId>
  readonly bids: Map<PeerId, ReceivedBid>
  readonly declines: Map<PeerId, Decline>
  changed: () => void
}

/** An offer that nobody has heard yet; with `providers` it goes to these alone. */
export function openOffer(
  offer: Signed<'Offer'>,
  ladder: Ladder,
  providers: readonly PeerId[] | undefined,
): OpenOffer {
  return {
    offer,
    ladder: providers === undefined ? ladder : { ...ladder, rungs: [] },
    only: providers && new Set(providers),
    steps: 0,
    widenAt: providers === undefined ? 0 : Infinity,
    settledAt: 0,
    reaching: false,
    reachUntil: Infinity,
    heard: new Set(),
    bids: new Map(),
    declines: new Map(),
    changed: () => {},
  }
}

/** What came back so far. */
export function outcomeOf({ heard, bids, declines, ladder, only }: OpenOffer): BiddingOutcome {
  const silent = [...heard].filter((peer) => !bids.has(peer) && !declines.has(peer))
  return {
    bids: [...bids.values()],
    declines: Object.fromEntries(declines),
    asked: heard.size,
    listeners: only === undefined ? Math.max(heard.size, Math.round(ladder.listeners)) : heard.size,
    silent: silent.length,
  }
}

/** Whether bidding may close. Strangers' bids count only where the alternative is to ask more nodes. */
export function hasEnough(open: OpenOffer, wanted: number, now: number): boolean {
  if (bidders(open) >= wanted) return true
  if (!allAnswered(open)) return isHopeless(open)
  const others = told(open) > open.heard.size && now < open.settledAt
  const reaching = open.reaching && (open.bids.size === 0 || now < open.reachUntil)
  const more = others || reaching || nextRung(open) !== undefined
  return !more || open.bids.size >= wanted
}

/** Whether it was for nodes of which none could be reached. */
function isHopeless({ only, heard, reaching }: OpenOffer): boolean {
  return only !== undefined && heard.size === 0 && !reaching
}

/** Whether nobody is left to wait for on the shelves that were asked, and there are more. */
export function isExhausted(open: OpenOffer): boolean {
  if (open.steps === 0 || nextRung(open) === undefined) return false
  return allAnswered(open) && told(open) <= open.heard.size
}

/** About how many the last step told, most of them by way of others. */
function told({ ladder, steps }: OpenOffer): number {
  return ladder.rungs[steps - 1]?.hearers ?? 0
}

/** Whether gossip has taken every step to those that may bid, and reached fewer than the bids that are wanted. */
export function isOutOfReach({ heard, steps, ladder }: OpenOffer, wanted: number): boolean {
  const next = heard.size === 0 ? undefined : ladder.rungs[steps]
  return heard.size < wanted && (next === undefined || next.sample)
}

/**
 * Leaves out steps of the ladder that would not bring enough, by how many bid of those who were told. Where the nodes that
 * it is known of have not answered, there is nothing to judge by, but that a slow one would have answered by the second.
 */
export function stepOver(open: OpenOffer, wanted: number): void {
  const { ladder, steps, heard, bids, declines } = open
  if (heard.size === 0) return
  const isAnswered = 2 * (bidders(open) + declines.size) >= heard.size
  const factor = isAnswered ? wideningFactor(wanted, bids.size) : 2 ** Math.min(steps, 2)
  const most = told(open) * factor
  const isWithin = (rung: Rung | undefined) => rung?.sample === false && rung.hearers <= most
  while (isWithin(ladder.rungs[open.steps + 1])) open.steps += 1
}

function allAnswered(open: OpenOffer): boolean {
  return open.heard.size > 0 && bidders(open) + open.declines.size >= open.heard.size
}

function bidders({ heard, bids }: OpenOffer): number {
  return [...heard].filter((peer) => bids.has(peer)).length
}

/** The next step of its ladder, if there is one that may help. */
export function nextRung({ steps, ladder, bids }: OpenOffer): Rung | undefined {
  const rung = ladder.rungs[steps]
  return rung?.sample === true && bids.size > 0 ? undefined : rung
}
