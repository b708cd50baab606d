import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FUEL_PER_CORE_SECOND } from '../../../node/domain/paid-use.ts'
import {
  askedPrice,
  FOLLOW_PERMILLE,
  PRICING_RULES,
  type PricingRule,
} from '../../../node/domain/pricing.ts'
import { anOffer } from '../../support/messages.ts'

const LIST = { perTask: 10n, perCoreSecond: 2n, perGpuSecond: 50n, reservedSecondsCap: 60 }
const rule: PricingRule = PRICING_RULES.posted
const posted = (changes: Parameters<typeof anOffer>[0], load = 0) =>
  rule(anOffer(changes), LIST, load)
const follow = (load: number) =>
  PRICING_RULES.follow(anOffer(), { ...LIST, perTask: 1000n, perCoreSecond: 0n }, load)

test('posted: a start fee, and each reserved core-second', () => {
  assert.equal(posted({ cpuMillis: 1000, taskTimeoutMs: 30_000 }), 10n + 2n * 30n)
  assert.equal(posted({ cpuMillis: 4000, taskTimeoutMs: 30_000 }), 10n + 2n * 30n * 4n)
  assert.equal(posted({ cpuMillis: 500, taskTimeoutMs: 30_000 }), 10n + 30n)
})

test('posted: each second of each GPU', () => {
  const cpu = posted({ taskTimeoutMs: 30_000 })
  assert.equal(posted({ taskTimeoutMs: 30_000, gpus: 2 }), cpu + 2n * 30n * 50n)
})

test('posted: a begun second counts, seconds beyond the cap do not', () => {
  assert.equal(posted({ taskTimeoutMs: 1 }), 12n)
  assert.equal(posted({ taskTimeoutMs: 1001 }), 14n)
  assert.equal(posted({ taskTimeoutMs: 60_000 }), 130n)
  assert.equal(posted({ taskTimeoutMs: 60_001 }), 130n)
})

test('posted: by use, a start fee and each core-second that the task may use, with no cap', () => {
  const cpu = { payPer: 'cpu', taskTimeoutMs: 600_000 }
  assert.equal(posted(cpu), 10n + 2n * 600n)
  assert.equal(posted({ ...cpu, cpuMillis: 500 }), 10n + 2n * 300n)
  const fuel = { payPer: 'fuel', fuel: 5 * FUEL_PER_CORE_SECOND, taskTimeoutMs: 600_000 }
  assert.equal(posted(fuel), 10n + 2n * 5n)
  assert.equal(posted({ ...fuel, fuel: 1 }), 11n, 'rounded up')
  const free = { ...LIST, perTask: 0n, perCoreSecond: 0n }
  assert.equal(rule(anOffer(fuel), free, 0), 1n, 'never nothing')
})

test('posted: the load does not change the price', () => {
  assert.equal(posted({}, 0), posted({}, 1))
})

test('follow: the list price at half load, and between its bounds at any other', () => {
  const { idle, half, full, queued } = FOLLOW_PERMILLE
  assert.deepEqual([0, 0.5, 1, 2].map(follow), [idle, half, full, queued].map(BigInt))
  assert.deepEqual([-1, 3, 1000].map(follow), [idle, queued, queued].map(BigInt))
  assert.equal(follow(0.75), BigInt((half + full) / 2))
})

test('follow: a full node asks more with each that waits there, up to the same bound', () => {
  const { full, queued } = FOLLOW_PERMILLE
  assert.equal(follow(1.5), BigInt((full + queued) / 2))
  assert.deepEqual([queued, 3000], [3000, Number(follow(Number.MAX_SAFE_INTEGER))])
})

test('follow: a busier node never asks less', () => {
  const load = fc.double({ min: 0, max: 4, noNaN: true })
  fc.assert(fc.property(load, load, (a, b) => assert.ok(a <= b ? follow(a) <= follow(b) : true)))
})

test('the least price of a kind holds wherever its images come from', () => {
  const terms = { pricing: 'posted', prices: LIST, leastPrices: { docker: 10_000n } } as const
  for (const name of ['docker', 'docker@registry.example'])
    assert.equal(askedPrice(anOffer({ class: name }), terms, 0), 10_000n)
  assert.ok(askedPrice(anOffer({ class: 'wasm' }), terms, 0) < 10_000n)
})
