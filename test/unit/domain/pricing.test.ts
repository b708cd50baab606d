import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRICING_RULES, type PricingRule } from '../../../node/domain/pricing.ts'
import { anOffer } from '../../support/messages.ts'

const LIST = { perTask: 10n, perCoreSecond: 2n, reservedSecondsCap: 60 }
const rule: PricingRule = PRICING_RULES.posted
const posted = (changes: Parameters<typeof anOffer>[0], load = 0) =>
  rule(anOffer(changes), LIST, load)

test('posted: a start fee, and each reserved core-second', () => {
  assert.equal(posted({ cpuMillis: 1000, taskTimeoutMs: 30_000 }), 10n + 2n * 30n)
  assert.equal(posted({ cpuMillis: 4000, taskTimeoutMs: 30_000 }), 10n + 2n * 30n * 4n)
  assert.equal(posted({ cpuMillis: 500, taskTimeoutMs: 30_000 }), 10n + 30n)
})

test('posted: a begun second counts, seconds beyond the cap do not', () => {
  assert.equal(posted({ taskTimeoutMs: 1 }), 12n)
  assert.equal(posted({ taskTimeoutMs: 1001 }), 14n)
  assert.equal(posted({ taskTimeoutMs: 60_000 }), 130n)
  assert.equal(posted({ taskTimeoutMs: 60_001 }), 130n)
})

test('posted: the load does not change the price', () => {
  assert.equal(posted({}, 0), posted({}, 1))
})

test('posted: each GPU for the seconds that are reserved', () => {
  const list = { ...LIST, perCoreSecond: 0n, perGpuSecond: 5n }
  assert.equal(rule(anOffer({ gpus: 2, taskTimeoutMs: 90_000 }), list, 0), 10n + 5n * 60n * 2n)
  assert.equal(rule(anOffer(), list, 0), 10n)
  assert.equal(posted({ gpus: 2, cpuMillis: 0 }), 10n)
})
