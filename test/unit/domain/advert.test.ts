import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADVERT_VALIDITY_MS, advertFault, type Advert } from '../../../node/domain/advert.ts'
import { MAX_CLOCK_SKEW_MS } from '../../../node/domain/offer.ts'
import { hour } from '../../../node/domain/units.ts'
import { anAdvert, NOW } from '../../support/messages.ts'

const told = (changes: Partial<Advert>, newestSeq = 5) =>
  advertFault(anAdvert(changes), NOW, 'test', newestSeq)

test('an advert that keeps every rule is taken, also when it is seen again', () => {
  assert.equal(told({}, 0), undefined)
  assert.equal(told({}, 5), undefined)
})

test('adverts R2: an advert of another network is refused', () => {
  assert.equal(told({ network: 'other' }), 'R2')
})

test('adverts R3: an advert is refused at its expiry', () => {
  assert.equal(told({ expiresAt: NOW + 1 }), undefined)
  assert.equal(told({ expiresAt: NOW }), 'R3')
})

test('adverts R3: an advert cannot claim to be fresh for longer than the limit', () => {
  assert.equal(told({ expiresAt: NOW + ADVERT_VALIDITY_MS }), undefined)
  assert.equal(told({ expiresAt: NOW + ADVERT_VALIDITY_MS + 1 }), 'R3')
})

test('adverts R3: an advert dated ahead is taken within the clock skew, refused beyond it', () => {
  const at = (issuedAt: number) => told({ issuedAt, expiresAt: issuedAt + 1000 })
  assert.equal(at(NOW + MAX_CLOCK_SKEW_MS), undefined)
  assert.equal(at(NOW + MAX_CLOCK_SKEW_MS + 1), 'R3')
  assert.equal(at(NOW + 10_000 * hour), 'R3')
})

test('adverts R4: an older advert than one already seen is refused', () => {
  assert.equal(told({ seq: 4 }), 'R4')
  assert.equal(told({ seq: 6 }), undefined)
})
