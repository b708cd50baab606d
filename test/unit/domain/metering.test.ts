import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreedPrice,
  intervalAt,
  isPayInterval,
  MAX_PAY_EVERY_MS,
  owedFor,
} from '../../../node/domain/metering.ts'
import { askedPrice } from '../../../node/domain/pricing.ts'
import { second } from '../../../node/domain/units.ts'
import { anOffer } from '../../support/messages.ts'

const EVERY = 10 * second

test('an agreement is for all of the tasks, or for an interval of them', () => {
  assert.equal(agreedPrice({ payEveryMs: 0 }, 7n, 3), 21n)
  assert.equal(agreedPrice({ payEveryMs: EVERY }, 7n, 1), 70n)
})

test('of an interval whole seconds are owed, and never more than all of it', () => {
  assert.equal(owedFor(70n, EVERY, 0), 0n)
  assert.equal(owedFor(70n, EVERY, 999), 0n)
  assert.equal(owedFor(70n, EVERY, 1000), 7n)
  assert.equal(owedFor(70n, EVERY, 9999), 63n)
  assert.equal(owedFor(70n, EVERY, 10_000), 70n)
  assert.equal(owedFor(70n, EVERY, 99_000), 70n)
})

test('an interval that has just ended is the one in which a share stands', () => {
  assert.deepEqual(
    [0, 1, EVERY, EVERY + 1, 2 * EVERY].map((ms) => intervalAt(ms, EVERY)),
    [1, 1, 1, 2, 2],
  )
})

test('intervals are whole seconds within their bounds, or none', () => {
  assert.deepEqual(
    [0, 1, 999, 1000, 1500, MAX_PAY_EVERY_MS, MAX_PAY_EVERY_MS + 1000].map(isPayInterval),
    [true, false, false, true, false, true, false],
  )
})

test('a second is asked what it reserves, without a price for the start, and never nothing', () => {
  const prices = { perTask: 1000n, perCoreSecond: 8n, perGpuSecond: 5n, reservedSecondsCap: 60 }
  const asked = (changes: Parameters<typeof anOffer>[0], leastPrices = {}) =>
    askedPrice(
      anOffer({ payEveryMs: EVERY, ...changes }),
      { pricing: 'posted', prices, leastPrices },
      0,
    )
  assert.equal(asked({ cpuMillis: 2000, gpus: 1 }), 21n)
  assert.equal(asked({ cpuMillis: 1 }), 1n)
  assert.equal(asked({ cpuMillis: 1000 }, { wasm: 6000n }), 100n)
  const free = { ...prices, perCoreSecond: 0n, perGpuSecond: 0n }
  const terms = { pricing: 'posted', prices: free, leastPrices: {} } as const
  assert.equal(askedPrice(anOffer({ payEveryMs: EVERY }), terms, 0), 1n)
})
