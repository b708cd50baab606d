import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { billedFor, type UseTerms } from '../../../node/domain/paid-use.ts'
import { END_REASONS, isBillable, type Usage } from '../../../node/domain/receipt.ts'
import { aResult, anOffer } from '../../support/messages.ts'

/** Half a core for ten seconds: five core-seconds. */
const CPU: UseTerms = anOffer({ payPer: 'cpu', cpuMillis: 500, taskTimeoutMs: 10_000 })
const FUEL: UseTerms = anOffer({ payPer: 'fuel', fuel: 1_000 })
const PRICE = 1_000n

function billed(
  terms: UseTerms | undefined,
  usage: Partial<Usage>,
  reason: (typeof END_REASONS)[number] = 'exit',
): bigint {
  const { fuel: _, ...before } = aResult(0).usage
  return billedFor(terms, PRICE, [{ reason, usage: { ...before, ...usage } }])
}

test('processor time is paid as the part that it is of all the task may use, rounded up', () => {
  assert.equal(billed(CPU, { wallMs: 10_000, cpuMs: 5_000 }), PRICE)
  assert.equal(billed(CPU, { wallMs: 10_000, cpuMs: 2_500 }), PRICE / 2n)
  assert.equal(billed(CPU, { wallMs: 10_000, cpuMs: 1_251 }), 251n)
})

test('fuel is paid as the part that it is of its limit, rounded up', () => {
  assert.equal(billed(FUEL, { fuel: 1_000 }, 'fuel'), PRICE)
  assert.equal(billed(FUEL, { fuel: 499 }), 499n)
  assert.equal(billed({ ...FUEL, fuel: 3 }, { fuel: 1 }), 334n)
})

test('more than the cores of a task give in its time, or than its limit, is not paid', () => {
  assert.equal(billed(CPU, { wallMs: 2_000, cpuMs: 9_000 }), 400n, 'one core of two seconds')
  const cores = { ...CPU, cpuMillis: 2_000 }
  assert.equal(billed(cores, { wallMs: 5_000, cpuMs: 60_000 }), PRICE / 2n)
  assert.equal(billed(CPU, { wallMs: 1e9, cpuMs: 1e9 }), PRICE)
  assert.equal(billed(FUEL, { fuel: Number.MAX_SAFE_INTEGER }), PRICE)
})

test('a task that was ended before it told its fuel counts as all of it; one that ended by itself has to tell', () => {
  assert.equal(billed(FUEL, {}, 'timeout'), PRICE)
  assert.equal(billed(FUEL, {}, 'exit'), PRICE / 100n)
})

test('however little a task used, a hundredth of its price is owed', () => {
  assert.equal(billed(CPU, { wallMs: 10_000, cpuMs: 0 }), PRICE / 100n)
  assert.equal(billed(FUEL, { fuel: 0 }), PRICE / 100n)
})

test('without such terms every billable end costs the price, and no other end costs anything', () => {
  const use = { wallMs: 10_000, cpuMs: 2_500, fuel: 500 }
  for (const reason of END_REASONS)
    for (const terms of [undefined, { ...CPU, payPer: 'task' }, CPU, FUEL]) {
      const whole = terms === undefined || terms.payPer === 'task' ? PRICE : PRICE / 2n
      assert.equal(billed(terms, use, reason), isBillable(reason) ? whole : 0n, reason)
    }
})

test('whatever was used: above nothing, never above the price, and more use never costs less', () => {
  const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  const terms = fc.record({
    payPer: fc.constantFrom('cpu', 'fuel'),
    cpuMillis: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    taskTimeoutMs: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    fuel: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  })
  const price = fc.bigInt(1n, 2n ** 96n - 1n)
  fc.assert(
    fc.property(terms, price, count, count, count, (by, most, a, b, wallMs) => {
      const owed = (used: number) => {
        const usage = { ...aResult(0).usage, wallMs, cpuMs: used, fuel: used }
        return billedFor(by, most, [{ reason: 'exit', usage }])
      }
      const [less, more] = [owed(Math.min(a, b)), owed(Math.max(a, b))]
      assert.ok(less > 0n && less <= more && more <= most)
    }),
  )
})
