import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BASIS_POINTS,
  feeUp,
  formatAmount,
  MAX_AMOUNT,
  parseAmount,
} from '../../../node/domain/money.ts'

const amounts = fc.bigInt(0n, MAX_AMOUNT)

test('an amount that was written reads back the same', () => {
  fc.assert(fc.property(amounts, (amount) => parseAmount(formatAmount(amount)) === amount))
})

test('amounts read as people type them', () => {
  assert.equal(parseAmount('1'), 10n ** 18n)
  assert.equal(parseAmount(' 0.25 '), 25n * 10n ** 16n)
  assert.equal(parseAmount('0.000000000000000001'), 1n)
  assert.equal(formatAmount(-15n * 10n ** 17n), '-1.5')
  assert.equal(formatAmount(0n), '0')
})

test('what is not a plain decimal number, or too fine or too large, is refused', () => {
  const largest = formatAmount(MAX_AMOUNT)
  assert.equal(parseAmount(largest), MAX_AMOUNT)
  const above = formatAmount(MAX_AMOUNT + 1n)
  for (const text of [
    '',
    '-1',
    '1.',
    '.5',
    '1e3',
    '0x1',
    '1,5',
    '1 000',
    '0.0000000000000000001',
    above,
  ])
    assert.throws(() => parseAmount(text), { code: 'INPUT_INVALID' }, text)
})

test('a fee is rounded up: never below the exact part, and less than one unit above it', () => {
  fc.assert(
    fc.property(amounts, fc.bigInt(0n, BASIS_POINTS), (amount, bps) => {
      const fee = feeUp(amount, bps)
      assert.ok(fee * BASIS_POINTS >= amount * bps)
      assert.ok((fee - 1n) * BASIS_POINTS < amount * bps)
      assert.ok(fee <= amount)
    }),
  )
})

test('no fee on nothing and no fee at zero', () => {
  assert.equal(feeUp(0n, 250n), 0n)
  assert.equal(feeUp(1n, 0n), 0n)
  assert.equal(feeUp(1n, 1n), 1n)
  assert.equal(feeUp(10_000n, 250n), 250n)
})
