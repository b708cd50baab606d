import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  creditWindow,
  hasCredit,
  MAX_WRITTEN_OFF,
  type CreditTerms,
} from '../../../node/domain/credit-window.ts'

const TERMS: CreditTerms = { start: 100n, most: 10_000n }
const AMOUNTS = [0n, 1n, 99n, 100n, 5_000n, 9_900n, 9_901n, 10n ** 30n]

test('a stranger has the start, and never more than the most', () => {
  assert.equal(creditWindow(TERMS, { paid: 0n, writtenOff: 0 }), 100n)
  assert.equal(creditWindow({ start: 100n, most: 50n }, { paid: 0n, writtenOff: 0 }), 50n)
  assert.equal(creditWindow(TERMS, { paid: 10n ** 30n, writtenOff: 0 }), 10_000n)
})

test('the window never narrows by paying and never widens by not paying', () => {
  for (const paid of AMOUNTS) {
    for (let writtenOff = 0; writtenOff <= MAX_WRITTEN_OFF; writtenOff++) {
      const window = creditWindow(TERMS, { paid, writtenOff })
      assert.ok(creditWindow(TERMS, { paid: paid + 1n, writtenOff }) >= window)
      assert.ok(creditWindow(TERMS, { paid, writtenOff: writtenOff + 1 }) <= window)
      assert.ok(window >= 0n && window <= TERMS.most)
    }
  }
})

test('who runs away has gained no more than the start over what it paid', () => {
  for (const paid of AMOUNTS) {
    for (let writtenOff = 0; writtenOff <= MAX_WRITTEN_OFF; writtenOff++)
      assert.ok(creditWindow(TERMS, { paid, writtenOff }) <= TERMS.start + paid)
  }
})

test('after MAX_WRITTEN_OFF shares left unpaid there is nothing, whatever was paid', () => {
  assert.equal(creditWindow(TERMS, { paid: 10n ** 30n, writtenOff: MAX_WRITTEN_OFF }), 0n)
})

test('credit is there up to the window and not beyond', () => {
  assert.equal(hasCredit(100n, 40n, 60n), true)
  assert.equal(hasCredit(100n, 40n, 61n), false)
})
