import { bidFault, bondOfferFault, type Bid, type BondOffer } from '../../domain/bid.ts'
import type { Decline } from '../../domain/decline.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import { needOf } from '../../domain/offer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { bidRequest, type BidRequest } from '../../protocol/requests.ts'
import { offerTopic } from '../../protocol/topics.ts'
import type { Signing } from '../signing.ts'

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
  /** Of those, the ones that did not answer until it closed. */
  readonly silent: number
}

export interface BiddingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly gossip: Gossip
  readonly requests: Requests
  readonly signing: Signing
}

/** How long to wait before an offer that nobody heard is announced again, ms. */
const REPUBLISH_MS = 500

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

interface OpenOffer {
  readonly offer: Signed<'Offer'>
  /** Whom it was sent to. Keys are free, so only these few can close it and have their declines kept. */
  heard: ReadonlySet<PeerId>
  readonly bids: Map<PeerId, ReceivedBid>
  readonly declines: Map<PeerId, Decline>
  changed: () => void
}

/** Announces offers and collects the answers that come over direct streams. */
export class Bidding {
  readonly #parts: BiddingParts
  readonly #options: BiddingOptions
  readonly #open = new Map<Bytes32, OpenOffer>()

  constructor(parts: BiddingParts, options: Partial<BiddingOptions> = {}) {
    this.#parts = parts
    this.#options = { ...BIDDING_DEFAULTS, ...options }
    parts.requests.answer('bid', async (from, bytes) => {
      this.#take(from, bidRequest.decode(bytes))
      return new Uint8Array()
    })
  }

  /**
   * Resolves when `wanted` of those that the offer was sent to have bid, or all of them have
   * answered, or its window closed. Bids of others that came until then are among the outcome.
   */
  async collect(
    offer: Signed<'Offer'>,
    wanted: number,
    signal: AbortSignal,
  ): Promise<BiddingOutcome> {
    const { clock } = this.#parts
    const open: OpenOffer = {
      offer,
      heard: new Set(),
      bids: new Map(),
      declines: new Map(),
      changed: () => {},
    }
    this.#open.set(offer.id, open)
    try {
      while (clock.now() < offer.message.bidsUntil) {
        signal.throwIfAborted()
        if (open.heard.size === 0) open.heard = new Set(await this.#publish(offer))
        if (hasEnough(open, wanted)) break
        const left = offer.message.bidsUntil - clock.now()
        await this.#changeOrTime(
          open,
          open.heard.size === 0 ? Math.min(left, REPUBLISH_MS) : left,
          signal,
        )
      }
      return outcomeOf(open)
    } finally {
      this.#open.delete(offer.id)
    }
  }

  async #publish(offer: Signed<'Offer'>): Promise<readonly PeerId[]> {
    const { network, class: resourceClass } = offer.message
    return this.#parts.gossip.publish(offerTopic(network, resourceClass), offer.bytes)
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
    if (open === undefined) throw new HiveError('OFFER_UNKNOWN', { offer: answer.offer })
    const heard = open.heard.has(from)
    // Each peer counts once, with its latest word.
    if (answer.decline === undefined) {
      const { maxBids } = this.#options
      if (open.bids.size >= maxBids && !heard && !open.bids.has(from))
        throw new HiveError('PEER_QUOTA', { maxBids })
      open.bids.set(from, this.#admit(from, answer, open.offer))
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

function outcomeOf({ heard, bids, declines }: OpenOffer): BiddingOutcome {
  const silent = [...heard].filter((peer) => !bids.has(peer) && !declines.has(peer))
  return {
    bids: [...bids.values()],
    declines: Object.fromEntries(declines),
    asked: heard.size,
    silent: silent.length,
  }
}

function hasEnough({ heard, bids, declines }: OpenOffer, wanted: number): boolean {
  const bidders = [...heard].filter((peer) => bids.has(peer)).length
  return bidders >= wanted || (heard.size > 0 && bidders + declines.size >= heard.size)
}
