import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  hourOf,
  medianOf,
  tallied,
  unitPrice,
  type PriceTally,
} from '../../../node/domain/price-history.ts'
import { FUEL_PER_CORE_SECOND } from '../../../node/domain/paid-use.ts'
import { hour, minute, second } from '../../../node/domain/units.ts'
import { anOffer } from '../../support/messages.ts'

const ASK = anOffer({ cpuMillis: 2000, taskTimeoutMs: 10 * second })

function tallyOf(prices: readonly bigint[]): PriceTally {
  let tally: PriceTally | undefined
  for (const price of prices) tally = tallied(tally, price)
  assert.ok(tally)
  return tally
}

test('a price is told by the core-second that the task reserves, so that small and large tasks compare', () => {
  assert.equal(unitPrice(100n, ASK), 5n, 'two cores for ten seconds')
  assert.equal(unitPrice(50n, { ...ASK, cpuMillis: 1000 }), 5n)
  assert.equal(unitPrice(1n, ASK), 1n, 'rounded up, never nothing')
  assert.equal(unitPrice(10n, { ...ASK, payEveryMs: minute }), 5n, 'of a second already')
  assert.equal(
    unitPrice(100n, { ...ASK, gpus: 5 }),
    2n,
    'by the second of a GPU where there are any',
  )
})

test('a price that is paid by use is told by the core-second that it is for, whatever the time limit', () => {
  const cpu = { ...ASK, payPer: 'cpu', cpuMillis: 500 }
  assert.equal(unitPrice(100n, cpu), 20n)
  const fuel = { ...ASK, payPer: 'fuel', fuel: 20 * FUEL_PER_CORE_SECOND }
  assert.equal(unitPrice(100n, fuel), 5n)
  assert.equal(unitPrice(100n, { ...fuel, taskTimeoutMs: hour }), 5n)
})

test('an hour begins on the hour', () => {
  assert.equal(hourOf(5 * hour), 5 * hour)
  assert.equal(hourOf(6 * hour - 1), 5 * hour)
})

test('whatever the prices: bounds and count are exact, the median is right to half a per cent', () => {
  const prices = fc.array(fc.bigInt(1n, 10n ** 24n), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(prices, (seen) => {
      const sorted = [...seen].sort((a, b) => (a < b ? -1 : 1))
      const tally = tallyOf(seen)
      assert.deepEqual(
        [tally.count, tally.low, tally.high],
        [seen.length, sorted[0], sorted.at(-1)],
      )
      const exact = Number(sorted[Math.ceil(seen.length / 2) - 1])
      assert.ok(Math.abs(Number(medianOf(tally)) - exact) <= exact * 0.005 + 0.5)
    }),
  )
})

test('prices without end take no room without end', () => {
  const tally = tallyOf(Array.from({ length: 2000 }, (_, at) => BigInt(at + 1) ** 4n))
  assert.equal(tally.count, 2000)
  assert.ok(tally.spread.length <= 256)
  assert.equal(tally.high, 2000n ** 4n)
})
