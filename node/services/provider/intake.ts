import type { Bid, BondOffer } from '../../domain/bid.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { offerFault, type OfferFault, type Verdict } from '../../domain/offer.ts'
import type { Room } from '../../domain/queue-forecast.ts'
import { hour, minute } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { addressOfPeer } from '../../protocol/identity.ts'
import { bondNonce } from '../../protocol/random.ts'
import { bidRequest, type BidRequest } from '../../protocol/requests.ts'
import { belongsOn } from '../../protocol/topics.ts'
import type { PriceNotes } from '../price-book.ts'
import type { Signing } from '../signing.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { Admission } from './admission.ts'
import type { Booking } from './booking.ts'
import type { HeldImages } from './held-images.ts'
import { MAX_ANSWERS_UNDER_WAY, MAX_STANDING_BIDS } from './intake-limits.ts'
import { OfferQuota } from './offer-quota.ts'
import { RecentMap } from './recent-map.ts'
import { Shelves, type Shelf } from './shelves.ts'

export interface IntakeParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly gossip: Gossip
  readonly requests: Requests
  readonly signing: Signing
  readonly booking: Pick<Booking, 'quote'>
  readonly images: Pick<HeldImages, 'has'>
  readonly admission: Admission
  /** Remembers what was asked and offered. Left out: nobody does. */
  readonly prices?: PriceNotes
}

export interface IntakeOptions {
  readonly network: string
  /** Groups of offers that it listens to. */
  readonly groups: readonly string[]
  /** Put into a channel with each requester. */
  readonly bond: Amount
}

/** A bid that this node stands by. */
export interface StandingBid {
  readonly offer: Signed<'Offer'>
  readonly requester: PeerId
  readonly bid: Bid
}

/** Why an offer is not answered. */
type Fault = Omit<OfferFault, 'code'> & { readonly code: OfferFault['code'] | 'PEER_QUOTA' }

/** How long the node stands by a bid, ms. */
const BID_VALIDITY_MS: number = 2 * minute
/** How long a requester may use a bond offer, ms: it must survive opening a channel. */
const BOND_VALIDITY_MS: number = 1 * hour

/** Hears offers, judges them for the mesh, and answers each with a bid or a typed decline. */
export class Intake {
  readonly #parts: IntakeParts
  readonly #options: IntakeOptions
  readonly #standing = new RecentMap<Bytes32, StandingBid>({
    keepMs: BID_VALIDITY_MS,
    max: MAX_STANDING_BIDS,
  })
  readonly #quota = new OfferQuota()
  /** Offers that counted, and whether they are being answered: the same one may come on several topics. */
  readonly #counted = new RecentMap<Bytes32, boolean>({
    keepMs: BID_VALIDITY_MS,
    max: MAX_STANDING_BIDS,
  })
  readonly #shelves: Shelves
  readonly #work = new TasksInFlight()

  constructor(parts: IntakeParts, options: IntakeOptions) {
    this.#parts = parts
    this.#options = options
    this.#shelves = new Shelves(parts, { ...options, peer: parts.signing.peer })
  }

  /** Listens on the topics of the node's groups, and to offers sent to it alone, until the signal aborts. */
  listen(signal: AbortSignal): void {
    this.#shelves.join((on, bytes) => this.#judge(on, bytes, signal), signal)
    this.#parts.requests.answer('offer', async (from, bytes) => {
      this.#take(from, bytes, signal)
      return new Uint8Array()
    })
  }

  /** Listens on as many shelves as the network has grown to need. Resolves when the signal aborts. */
  async keepUp(signal: AbortSignal): Promise<void> {
    return this.#shelves.keepUp(signal)
  }

  /** The bid that an agreement can follow from, if it still stands: its `validUntil` says. */
  standing(offer: Bytes32): StandingBid | undefined {
    return this.#standing.get(offer)
  }

  /** Resolves when every answer under way was sent or given up. */
  async settled(): Promise<void> {
    await this.#work.settled()
  }

  #judge({ group, prefix }: Shelf, bytes: Uint8Array, signal: AbortSignal): Verdict {
    const { signing, logger } = this.#parts
    let offer: Signed<'Offer'>
    try {
      offer = signing.open('Offer', bytes)
    } catch (error) {
      logger.debug('offer refused', { code: codeOf(error) })
      return 'reject'
    }
    // [REJECT] offers R1: it is signed by its requester and came on a topic of its class
    const signer = offer.signatories[0]
    const isHere = belongsOn(offer.id, offer.message, group, prefix)
    if (signer?.address !== offer.message.requester || !isHere) return 'reject'
    const fault = this.#consider(offer, signer, signal)
    if (fault === undefined) return 'accept'
    logger.debug('offer refused', { code: fault.code, rule: fault.rule })
    return fault.verdict
  }

  /** An offer that its requester sent to this node itself. Throws what is wrong with it. */
  #take(from: PeerId, bytes: Uint8Array, signal: AbortSignal): void {
    const requester = addressOfPeer(from)
    const offer = this.#parts.signing.openFrom('Offer', bytes, [requester])
    if (offer.message.requester !== requester) throw new HiveError('OFFER_INVALID', { rule: 'R1' })
    const fault = this.#consider(offer, { peer: from, address: requester }, signal)
    if (fault !== undefined) throw new HiveError(fault.code, { rule: fault.rule })
  }

  /** Applies what holds wherever an offer came from, and answers it. */
  #consider(
    offer: Signed<'Offer'>,
    signer: { readonly peer: PeerId; readonly address: Address },
    signal: AbortSignal,
  ): Fault | undefined {
    const { signing, clock } = this.#parts
    const fault = offerFault(offer.message, clock.now(), this.#options.network)
    if (fault !== undefined) return fault
    // [IGNORE] offers R8: its requester has not had its share of this minute
    const counted = this.#counted.get(offer.id)
    if (counted === undefined && !this.#quota.take(signer.address, clock.now()))
      return { code: 'PEER_QUOTA', verdict: 'ignore', rule: 'R8' }
    if (counted === undefined && signer.address !== signing.address)
      this.#parts.prices?.note('limit', offer.message, offer.message.maxPrice)
    const answered =
      counted === true ||
      (signer.address !== signing.address && this.#startAnswer(offer, signer.peer, signal))
    this.#counted.set(offer.id, answered, clock.now())
    return undefined
  }

  /** False when too many answers are on their way. */
  #startAnswer(offer: Signed<'Offer'>, requester: PeerId, signal: AbortSignal): boolean {
    const { logger } = this.#parts
    if (this.#work.size >= MAX_ANSWERS_UNDER_WAY) {
      logger.debug('offer not answered', { requester, underWay: this.#work.size })
      return false
    }
    this.#work.start(
      async () => this.#answer(offer, requester, signal),
      (error) => logger.debug('bid not delivered', { requester, code: codeOf(error) }),
    )
    return true
  }

  async #answer(offer: Signed<'Offer'>, requester: PeerId, signal: AbortSignal): Promise<void> {
    const answer = await this.#decide(offer, requester)
    await this.#parts.requests.call(requester, 'bid', bidRequest.encode(answer), { signal })
  }

  async #decide(offer: Signed<'Offer'>, requester: PeerId): Promise<BidRequest> {
    const declined = await this.#parts.admission.declined(offer.message)
    const room = declined === undefined ? this.#parts.booking.quote(offer.message) : undefined
    if (room !== undefined) return this.#bid(offer, requester, room)
    const { code: decline, ...rest } = declined ?? { code: 'DECLINED_BUSY' }
    return { offer: offer.id, decline, ...rest }
  }

  async #bid(offer: Signed<'Offer'>, requester: PeerId, room: Room): Promise<BidRequest> {
    const { signing, clock, admission, images } = this.#parts
    const now = clock.now()
    const bid: Bid = {
      offer: offer.id,
      provider: signing.address,
      price: admission.price(offer.message),
      ...room,
      cached: await images.has(offer.message),
      validUntil: now + BID_VALIDITY_MS,
    }
    const bond: BondOffer = {
      provider: signing.address,
      requester: offer.message.requester,
      providerSigner: signing.address,
      bond: this.#options.bond,
      hold: 0,
      expiry: Math.floor((now + BOND_VALIDITY_MS) / 1000),
      nonce: bondNonce(offer.message.requester),
    }
    this.#parts.prices?.note('bid', offer.message, bid.price)
    this.#standing.set(offer.id, { offer, requester, bid }, now)
    return {
      offer: offer.id,
      bid: signing.seal('Bid', bid).bytes,
      bondOffer: signing.seal('BondOffer', bond).bytes,
    }
  }
}
