import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bidFault,
  bondOfferFault,
  MAX_BID_VALIDITY_MS,
  MAX_BOND_HOLD_S,
  type Bid,
  type BondOffer,
} from '../../../node/domain/bid.ts'
import { MAX_TASK_TIMEOUT_MS } from '../../../node/domain/offer.ts'
import {
  aBid,
  aBondOffer,
  anOffer,
  NOW,
  NOW_S,
  PROVIDER,
  REQUESTER,
  STRANGER,
} from '../../support/messages.ts'

const told = (changes: Partial<Bid>, sender = PROVIDER) =>
  bidFault(aBid(changes), anOffer(), NOW, sender)
const toldOfBond = (changes: Partial<BondOffer>) =>
  bondOfferFault(aBondOffer(changes), aBid(), anOffer(), NOW_S)

test('a bid and a bond offer that keep every rule are taken', () => {
  assert.equal(told({}), undefined)
  assert.equal(toldOfBond({}), undefined)
})

test('bids R1: nobody bids for another', () => {
  assert.equal(told({}, STRANGER), 'R1')
})

test('bids R2: a price is above zero and at most the offer’s', () => {
  assert.equal(told({ price: 1n }), undefined)
  assert.equal(told({ price: 0n }), 'R2')
  assert.equal(told({ price: anOffer().maxPrice }), undefined)
  assert.equal(told({ price: anOffer().maxPrice + 1n }), 'R2')
})

test('bids R3: a bid is valid now, and not for longer than the limit', () => {
  assert.equal(told({ validUntil: NOW }), 'R3')
  assert.equal(told({ validUntil: NOW + 1 }), undefined)
  assert.equal(told({ validUntil: NOW + MAX_BID_VALIDITY_MS }), undefined)
  assert.equal(told({ validUntil: NOW + MAX_BID_VALIDITY_MS + 1 }), 'R3')
})

test('bids R4: a bid can run at least one task', () => {
  assert.equal(told({ capacity: 0 }), 'R4')
})

test('bids R5: nobody bids on an own offer', () => {
  assert.equal(told({ provider: REQUESTER }, REQUESTER), 'R5')
})

test('bids R6: a bond is for this pair and signed by the bidder’s own key', () => {
  assert.equal(toldOfBond({ provider: STRANGER }), 'R6')
  assert.equal(toldOfBond({ requester: STRANGER }), 'R6')
  assert.equal(toldOfBond({ providerSigner: STRANGER }), 'R6')
})

test('bids R7: an expired bond offer is refused at its second, not after it', () => {
  assert.equal(toldOfBond({ expiry: NOW_S + 1 }), undefined)
  assert.equal(toldOfBond({ expiry: NOW_S }), 'R7')
})

test('bids R8: a bond’s nonce ends in the requester’s key, whatever comes before it', () => {
  const key = BigInt(REQUESTER)
  assert.equal(toldOfBond({ nonce: key }), undefined)
  assert.equal(toldOfBond({ nonce: (((1n << 96n) - 1n) << 160n) | key }), undefined)
  assert.equal(toldOfBond({ nonce: key + 1n }), 'R8')
  assert.equal(toldOfBond({ nonce: 0n }), 'R8')
})

test('bids R9: a start out of sight is refused, so that no deadline is pushed away with it', () => {
  assert.equal(told({ etaMs: MAX_TASK_TIMEOUT_MS }), undefined)
  assert.equal(told({ etaMs: MAX_TASK_TIMEOUT_MS + 1 }), 'R9')
})

test('bids R10: a bond is held for at most what the contract takes', () => {
  assert.equal(toldOfBond({ hold: 0 }), undefined)
  assert.equal(toldOfBond({ hold: MAX_BOND_HOLD_S }), undefined)
  assert.equal(toldOfBond({ hold: MAX_BOND_HOLD_S + 1 }), 'R10')
})
