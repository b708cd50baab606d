import { bidFault, bondOfferFault } from '../../domain/bid.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import { needOf } from '../../domain/offer.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Store } from '../../ports/store.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { bidRequest, type BidRequest } from '../../protocol/requests.ts'
import type { Announcements } from '../capability-search.ts'
import type { PriceNotes } from '../price-book.ts'
import type { Signing } from '../signing.ts'
import { Asking } from './asking.ts'
import { DirectOffers } from './direct-offers.ts'
import {
  hasEnough,
  isExhausted,
  isOutOfReach,
  nextRung,
  openOffer,
  outcomeOf,
  stepOver,
  type BiddingOutcome,
  type OpenOffer,
  type ReceivedBid,
} from './open-offer.ts'
import type { Reputations } from './reputation.ts'

export interface BiddingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly gossip: Gossip
  readonly requests: Requests
  readonly signing: Signing
  readonly store: Store
  /** Asked about bidders while others are still to bid. Left out: nobody is asked about. */
  readonly reputations?: Pick<Reputations, 'ask'>
  /** Where providers are looked for that gossip does not reach. Left out: nowhere. */
  readonly directory?: Announcements
  /** Remembers what was asked and offered. Left out: nobody does. */
  readonly prices?: PriceNotes
}

/** How long to wait before an offer that nobody heard is announced again, ms. */
const REPUBLISH_MS = 500
/** How long the nodes of one shelf may take to answer before more are asked, ms. Source: docs/protocol/offers.md, Topics. */
const WIDEN_MS = 250
/** How long a search in the DHT holds up bidding that has bids already, ms. */
const SEEK_MS: number = 1 * second

export interface BiddingOptions {
  /**
   * Bids for one offer beyond which strangers are refused; those whom the offer was sent to never
   * are, nor is who has bid already.
   */
  readonly maxBids: number
}

export const BIDDING_DEFAULTS: BiddingOptions = {
  // Source: docs/protocol/bids.md; as many as a job may wait for.
  maxBids: 1000,
}

/** Announces offers and collects the answers that come over direct streams. */
export class Bidding {
  readonly #parts: BiddingParts
  readonly #options: BiddingOptions
  readonly #asking: Asking
  readonly #direct: DirectOffers
  readonly #open = new Map<Bytes32, OpenOffer>()

  constructor(parts: BiddingParts, options: Partial<BiddingOptions> = {}) {
    this.#parts = parts
    this.#asking = new Asking(parts)
    this.#direct = new DirectOffers(parts)
    this.#options = { ...BIDDING_DEFAULTS, ...options }
    parts.requests.answer('bid', async (from, bytes) => {
      this.#take(from, bidRequest.decode(bytes))
      return new Uint8Array()
    })
  }

  /** Reads back what earlier offers taught. */
  async load(): Promise<void> {
    await this.#asking.load()
  }

  /**
   * Resolves when `wanted` of those that the offer was sent to have bid, or all of them have
   * answered and no more are to be asked, or its window closed. It begins with as few as should do,
   * and asks more, as many as those who answered let expect, while fewer than `wanted` have bid. Bids of others that came
   * until then are among the outcome. With `providers` these alone are asked, and nobody else's bid counts.
   */
  async collect(
    offer: Signed<'Offer'>,
    wanted: number,
    signal: AbortSignal,
    providers?: readonly PeerId[],
  ): Promise<BiddingOutcome> {
    const open = openOffer(offer, this.#asking.ladder(offer, wanted), providers)
    this.#open.set(offer.id, open)
    this.#parts.prices?.note('limit', offer.message, offer.message.maxPrice)
    const over = new AbortController()
    const until = AbortSignal.any([signal, over.signal])
    let outside: Promise<void> | undefined
    const reachOut = () => (outside ??= this.#reachOut(open, providers, until))
    try {
      if (providers !== undefined) void reachOut()
      await this.#gather(open, wanted, signal, reachOut)
      return outcomeOf(open)
    } finally {
      this.#open.delete(offer.id)
      over.abort()
      await outside
      if (providers === undefined) await this.#learn(open, wanted)
    }
  }

  async #gather(
    open: OpenOffer,
    wanted: number,
    signal: AbortSignal,
    reachOut: () => unknown,
  ): Promise<void> {
    const { clock } = this.#parts
    const { bidsUntil } = open.offer.message
    while (clock.now() < bidsUntil) {
      signal.throwIfAborted()
      if (clock.now() >= open.widenAt || isExhausted(open)) {
        if (open.heard.size > 0 && open.bids.size >= wanted) return
        stepOver(open, wanted)
        await this.#widen(open)
        // the nodes that have what is needed may be in no mesh of ours
        if (isOutOfReach(open, wanted)) reachOut()
      }
      const now = clock.now()
      if (hasEnough(open, wanted, now)) return
      const times = [open.settledAt, open.reachUntil].filter((each) => each > now)
      const until = Math.min(bidsUntil, open.widenAt, ...times)
      await this.#changeOrTime(open, until - now, signal)
    }
  }

  /** Sends the offer itself: to the named providers, or to those that the DHT has for it. */
  async #reachOut(
    open: OpenOffer,
    providers: readonly PeerId[] | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    open.reaching = true
    if (providers === undefined) open.reachUntil = this.#parts.clock.now() + SEEK_MS
    try {
      if (providers === undefined) await this.#direct.seek(open, signal)
      else await this.#direct.send(open, providers, signal)
    } finally {
      open.reaching = false
      open.changed()
    }
  }

  /** Asks the next step's nodes; where nobody was there to hear it, those of the step after. */
  async #widen(open: OpenOffer): Promise<void> {
    const { clock, gossip } = this.#parts
    for (let rung = nextRung(open); rung !== undefined; rung = nextRung(open)) {
      open.steps += 1
      const { topic } = rung
      const sentTo = await gossip.publish(topic, open.offer.bytes)
      for (const peer of sentTo) open.heard.add(peer)
      if (sentTo.length > 0) break
    }
    if (open.heard.size === 0) open.steps = 0
    const rest = open.heard.size === 0 ? REPUBLISH_MS : WIDEN_MS
    open.settledAt = clock.now() + rest
    open.widenAt = nextRung(open) === undefined ? Infinity : open.settledAt
  }

  /** A group's share of bidders is that of the widest shelf that was asked. */
  async #learn({ ladder, steps, bids }: OpenOffer, wanted: number): Promise<void> {
    const { group, rungs, listeners } = ladder
    if (listeners === 0 || steps === 0) return
    const asked = rungs.slice(0, steps).filter(({ sample }) => !sample)
    const hearers = Math.max(...asked.map((rung) => rung.hearers))
    const closedEarly = steps === 1 && bids.size >= wanted
    await this.#asking.learn(group, hearers, bids.size, closedEarly)
  }

  async #changeOrTime(open: OpenOffer, ms: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    const changed = new Promise<void>((resolve) => (open.changed = resolve))
    const timer = this.#parts.clock
      .sleep(ms, AbortSignal.any([signal, done.signal]))
      .catch((cause: unknown) => {
        if (!done.signal.aborted) throw cause
      })
    try {
      await Promise.race([changed, timer])
    } finally {
      done.abort()
    }
  }

  #take(from: PeerId, answer: BidRequest): void {
    const open = this.#open.get(answer.offer)
    if (open === undefined || open.only?.has(from) === false)
      throw new HiveError('OFFER_UNKNOWN', { offer: answer.offer })
    const heard = open.heard.has(from)
    // Each peer counts once, with its latest word.
    if (answer.decline === undefined) {
      const { maxBids } = this.#options
      if (open.bids.size >= maxBids && !heard && !open.bids.has(from))
        throw new HiveError('PEER_QUOTA', { maxBids })
      const received = this.#admit(from, answer, open.offer)
      if (!open.bids.has(from))
        this.#parts.prices?.note('bid', open.offer.message, received.bid.price)
      open.bids.set(from, received)
      this.#parts.reputations?.ask(received.bid.provider)
      open.declines.delete(from)
    } else {
      const { decline: code, most, lowestPrice } = answer
      const decline = { code, ...(most && { most }), ...(lowestPrice && { lowestPrice }) }
      if (heard) open.declines.set(from, decline)
      open.bids.delete(from)
    }
    open.changed()
  }

  #admit(from: PeerId, answer: BidRequest, offer: Signed<'Offer'>): ReceivedBid {
    const { clock, signing, logger } = this.#parts
    if (answer.bid === undefined || answer.bondOffer === undefined)
      throw new HiveError('BID_INVALID', { rule: 'R1' })
    try {
      const bid = signing.open('Bid', answer.bid)
      const bond = signing.open('BondOffer', answer.bondOffer)
      const signer = bid.signatories[0]
      const bondSigner = bond.signatories[0]
      if (signer?.peer !== from || bondSigner?.peer !== from)
        throw new HiveError('BID_INVALID', { rule: 'R1' })
      const now = clock.now()
      const rule =
        (bid.message.offer === offer.id ? undefined : 'R1') ??
        bidFault(bid.message, offer.message, now, signer.address) ??
        bondOfferFault(bond.message, bid.message, offer.message, Math.floor(now / 1000))
      const signature = bond.signatures[0]
      if (rule !== undefined || signature === undefined)
        throw new HiveError('BID_INVALID', { rule: rule ?? 'R6' })
      return { peer: from, bid: bid.message, bondOffer: bond.message, bondSignature: signature }
    } catch (error) {
      logger.debug('bid refused', {
        from,
        code: codeOf(error),
        cpuMillis: needOf(offer.message).cpuMillis,
      })
      throw error
    }
  }
}
