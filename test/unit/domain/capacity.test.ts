import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cutFrom,
  isFresh,
  median,
  scoreOf,
  SCORE_VALIDITY_MS,
} from '../../../node/domain/capacity.ts'

test('score: three digits of every figure, none of what cannot be one', () => {
  const score = scoreOf({ fuelPerSecond: 12_345_678, latencyNs: NaN, argon2Ms: 0 }, 4, 7)
  assert.deepEqual(score, { measuredAt: 7, cores: 4, fuelPerSecond: 12_300_000 })
  assert.ok(cutFrom(score).includes('latencyNs'))
  assert.ok(!cutFrom(score).includes('fuelPerSecond'))
})

test('score: stands for a week, for the same cores, and not from the future', () => {
  const score = scoreOf({}, 4, 1000)
  assert.equal(isFresh(score, 4, 1000 + SCORE_VALIDITY_MS - 1), true)
  assert.equal(isFresh(score, 4, 1000 + SCORE_VALIDITY_MS), false)
  assert.equal(isFresh(score, 8, 1000), false)
  assert.equal(isFresh(score, 4, 999), false)
})

test('median: the middle one, or between the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.ok(Number.isNaN(median([])))
})
