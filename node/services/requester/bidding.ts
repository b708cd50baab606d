import { bidFault, bondOfferFault, type Bid, type BondOffer } from '../../domain/bid.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
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
  readonly declines: Readonly<Record<PeerId, ErrorCode>>
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
/** Most bids kept for one offer; a flood beyond it is refused. */
const MAX_BIDS = 1000

interface OpenOffer {
  readonly offer: Signed<'Offer'>
  readonly bids: Map<PeerId, ReceivedBid>
  readonly declines: Map<PeerId, ErrorCode>
  changed: () => void
}

/** Announces offers and collects the answers that come over direct streams. */
export class Bidding {
  readonly #parts: BiddingParts
  readonly #open = new Map<Bytes32, OpenOffer>()

  constructor(parts: BiddingParts) {
    this.#parts = parts
    parts.requests.answer('bid', async (from, bytes) => {
      this.#take(from, bidRequest.decode(bytes))
      return new Uint8Array()
    })
  }

  /** Resolves when `wanted` bids came, everyone who heard the offer has answered, or its window closed. */
  async collect(
    offer: Signed<'Offer'>,
    wanted: number,
    signal: AbortSignal,
  ): Promise<BiddingOutcome> {
    const { clock } = this.#parts
    const open: OpenOffer = { offer, bids: new Map(), declines: new Map(), changed: () => {} }
    this.#open.set(offer.id, open)
    try {
      let heard = 0
      while (clock.now() < offer.message.bidsUntil) {
        signal.throwIfAborted()
        if (heard === 0) heard = await this.#publish(offer)
        const answers = open.bids.size + open.declines.size
        if (open.bids.size >= wanted || (heard > 0 && answers >= heard)) break
        const left = offer.message.bidsUntil - clock.now()
        await this.#changeOrTime(open, heard === 0 ? Math.min(left, REPUBLISH_MS) : left, signal)
      }
      return { bids: [...open.bids.values()], declines: Object.fromEntries(open.declines) }
    } finally {
      this.#open.delete(offer.id)
    }
  }

  async #publish(offer: Signed<'Offer'>): Promise<number> {
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
    if (open.bids.size + open.declines.size >= MAX_BIDS) throw new HiveError('PEER_QUOTA')
    // Each peer counts once, with its latest word.
    if (answer.decline === undefined) {
      open.bids.set(from, this.#admit(from, answer, open.offer))
      open.declines.delete(from)
    } else {
      open.declines.set(from, answer.decline)
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
