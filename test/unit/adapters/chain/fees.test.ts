import assert from 'node:assert/strict'
import { test } from 'node:test'
import { raisedFees } from '../../../../node/adapters/chain/fees.ts'

const LOTS = 10n ** 30n
const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({
  maxFeePerGas,
  maxPriorityFeePerGas,
})

test('a replacement is up by an eighth in both parts, rounded up', () => {
  assert.deepEqual(raisedFees(fees(1001n, 7n), fees(0n, 0n), 125n, LOTS), fees(1127n, 8n))
})

test('a part of nothing rises too', () => {
  assert.deepEqual(raisedFees(fees(8n, 0n), fees(0n, 0n), 125n, LOTS), fees(9n, 1n))
})

test('a market that rose by more is followed', () => {
  assert.deepEqual(raisedFees(fees(800n, 80n), fees(5000n, 85n), 125n, LOTS), fees(5000n, 90n))
})

test('the tip never exceeds the whole', () => {
  assert.deepEqual(raisedFees(fees(80n, 80n), fees(0n, 500n), 125n, LOTS), fees(90n, 90n))
})

test('the cap is reached, and not passed', () => {
  assert.deepEqual(raisedFees(fees(800n, 8n), fees(5000n, 8n), 125n, 900n), fees(900n, 9n))
  assert.equal(raisedFees(fees(800n, 8n), fees(5000n, 8n), 125n, 899n), undefined)
})

test('a chain with one price: the price rises', () => {
  assert.deepEqual(raisedFees({ gasPrice: 800n }, { gasPrice: 1n }, 125n, LOTS), { gasPrice: 900n })
  assert.equal(raisedFees({ gasPrice: 800n }, { gasPrice: 1n }, 125n, 899n), undefined)
})
