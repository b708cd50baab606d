import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  END_REASONS,
  isBillable,
  receiptFault,
  type Receipt,
  type TaskResult,
} from '../../../node/domain/receipt.ts'
import { aReceipt, aResult } from '../../support/messages.ts'

const TASKS = [0, 1, 5, 9]
const told = (
  receipt: Partial<Receipt>,
  results: readonly TaskResult[] = TASKS.map((i) => aResult(i)),
) =>
  receiptFault(
    aReceipt(receipt),
    results,
    TASKS,
    (all) => 100n * BigInt(all.filter(({ reason }) => isBillable(reason)).length),
  )

test('a receipt that follows from its results is taken', () => {
  assert.equal(told({}), undefined)
})

test('receipts R2: there is one result for each awarded task, in order', () => {
  assert.equal(
    told(
      {},
      [0, 1, 5].map((i) => aResult(i)),
    ),
    'R2',
  )
  assert.equal(
    told(
      {},
      [0, 1, 5, 9, 10].map((i) => aResult(i)),
    ),
    'R2',
  )
  assert.equal(
    told(
      {},
      [1, 0, 5, 9].map((i) => aResult(i)),
    ),
    'R2',
  )
  assert.equal(
    told(
      {},
      [0, 1, 5, 5].map((i) => aResult(i)),
    ),
    'R2',
  )
})

test('receipts R3: completed is the number of billable ends, no more and no less', () => {
  const oneKilled = TASKS.map((i) => aResult(i, i === 5 ? { reason: 'killed' } : {}))
  assert.equal(told({ completed: 3, amount: 300n }, oneKilled), undefined)
  assert.equal(told({ completed: 4, amount: 400n }, oneKilled), 'R3')
  assert.equal(told({ completed: 2, amount: 200n }, oneKilled), 'R3')
})

test('receipts R4: the amount is the price of the completed tasks', () => {
  assert.equal(told({ amount: 401n }), 'R4')
  assert.equal(told({ amount: 399n }), 'R4')
  assert.equal(told({ amount: 0n }), 'R4')
  const none = TASKS.map((i) => aResult(i, { reason: 'start-failed' }))
  assert.equal(told({ completed: 0, amount: 0n }, none), undefined)
})

test('a task is paid when the job ended it, and not when the provider did', () => {
  const free = END_REASONS.filter((reason) => !isBillable(reason))
  assert.deepEqual(free, ['killed', 'start-failed', 'image-bad'])
})
