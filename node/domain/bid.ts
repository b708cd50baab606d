import type { Address, Bytes32 } from './ids.ts'
import type { Amount } from './money.ts'
import { MAX_TASK_TIMEOUT_MS, type Offer } from './offer.ts'
import { day, minute } from './units.ts'

/** A provider's answer to an offer. */
export interface Bid {
  /** Offer id. */
  readonly offer: Bytes32
  readonly provider: Address
  /** Price of one task. */
  readonly price: Amount
  /** Tasks it has room for at the same time from `etaMs` on; more than that queue at the provider. */
  readonly capacity: number
  /** When it expects to have that room, ms from now. */
  readonly etaMs: number
  /** Whether it already holds the job's program. */
  readonly cached: boolean
  /** Unix ms until when it stands by the bid. */
  readonly validUntil: number
}

/** A provider's promise to put a bond into a channel with one requester; the contract verifies it. */
export interface BondOffer {
  readonly provider: Address
  readonly requester: Address
  readonly providerSigner: Address
  readonly bond: Amount
  /** How long the bond stays after a close that is not mutual, seconds; 0: it leaves at the close. */
  readonly hold: number
  /** Unix seconds. */
  readonly expiry: number
  /** Makes the channel id unique; random. */
  readonly nonce: bigint
}

/** Longest time a provider may stand by a bid, ms. Source: docs/protocol/bids.md R3. */
export const MAX_BID_VALIDITY_MS: number = 10 * minute

/** Longest hold of a bond that the contract takes, seconds. Source: docs/protocol/bids.md R10. */
export const MAX_BOND_HOLD_S: number = (90 * day) / 1000

/** The broken rule, or `undefined`. `now` is Unix ms; `sender` the account the bid came from. */
export function bidFault(bid: Bid, offer: Offer, now: number, sender: Address): string | undefined {
  // [REJECT] bids R1: the bid comes from the provider that it names
  if (bid.provider !== sender) return 'R1'
  // [REJECT] bids R2: its price is above zero and at most the offer's
  if (bid.price <= 0n || bid.price > offer.maxPrice) return 'R2'
  // [REJECT] bids R3: it is valid now, and not for longer than MAX_BID_VALIDITY_MS
  if (bid.validUntil <= now || bid.validUntil > now + MAX_BID_VALIDITY_MS) return 'R3'
  // [REJECT] bids R4: it can run at least one task
  if (bid.capacity < 1) return 'R4'
  // [REJECT] bids R5: nobody bids on an own offer
  if (bid.provider === offer.requester) return 'R5'
  // [REJECT] bids R9: its start is in sight; a share's deadline counts from it
  if (bid.etaMs > MAX_TASK_TIMEOUT_MS) return 'R9'
  return undefined
}

/** The broken rule of a bond offer that came with `bid`, or `undefined`. `nowS` is Unix seconds. */
export function bondOfferFault(
  bond: BondOffer,
  bid: Bid,
  offer: Offer,
  nowS: number,
): string | undefined {
  // [REJECT] bids R6: the bond is for this pair and signed by the bidder's own key
  if (bond.provider !== bid.provider || bond.requester !== offer.requester) return 'R6'
  if (bond.providerSigner !== bid.provider) return 'R6'
  // [REJECT] bids R7: the bond offer has not expired
  if (bond.expiry <= nowS) return 'R7'
  // [REJECT] bids R8: the low 160 bits of the nonce are the requester's session key
  if (BigInt.asUintN(160, bond.nonce) !== BigInt(offer.requester)) return 'R8'
  // [REJECT] bids R10: the bond is held for at most MAX_BOND_HOLD_S
  if (bond.hold > MAX_BOND_HOLD_S) return 'R10'
  return undefined
}
