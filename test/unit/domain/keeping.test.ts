import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKept } from '../../../node/domain/keeping.ts'

test('keeping: a time after the end, to the millisecond, and not before the end', () => {
  assert.ok(isKept(0, {}, 10 ** 15))
  assert.ok(isKept(10, { finishedAt: 100 }, 110))
  assert.ok(!isKept(10, { finishedAt: 100 }, 111))
})

test('keeping: until it was fetched, and for good', () => {
  assert.ok(isKept('until-fetched', { finishedAt: 1 }, 10 ** 15))
  assert.ok(!isKept('until-fetched', { finishedAt: 1, fetchedAt: 2 }, 3))
  assert.ok(isKept('forever', { finishedAt: 1, fetchedAt: 2 }, 10 ** 15))
})
