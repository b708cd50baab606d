import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Ring } from '../../../../node/services/monitoring/ring.ts'

test('ring: the mean of what was seen in each stretch; what was not seen is null', () => {
  const ring = new Ring(1000, 10, 2)
  ring.add(5000, [1, NaN])
  ring.add(5999, [3, NaN])
  ring.add(7000, [8, 4])
  assert.deepEqual(ring.rows(0, 7500), {
    at: [5000, 7000],
    columns: [
      [2, 8],
      [null, 4],
    ],
  })
})

test('ring: what is older than its length is gone, though nothing new came', () => {
  const ring = new Ring(1000, 3, 1)
  for (const second of [1, 2, 3, 4]) ring.add(second * 1000, [second])
  assert.deepEqual(ring.rows(0, 4000).columns, [[2, 3, 4]])
  assert.deepEqual(ring.rows(0, 5000).columns, [[3, 4]])
  assert.deepEqual(ring.rows(0, 60_000).columns, [[]])
})

test('ring: a stretch that comes round again begins anew; one from long ago does not disturb it', () => {
  const ring = new Ring(1000, 3, 1)
  ring.add(1000, [100])
  ring.add(4000, [4])
  ring.add(1500, [100])
  assert.deepEqual(ring.rows(0, 4000), { at: [4000], columns: [[4]] })
})

test('ring: a clock that is set back hides what is ahead of it', () => {
  const ring = new Ring(1000, 10, 1)
  ring.add(9000, [9])
  ring.add(3000, [3])
  assert.deepEqual(ring.rows(0, 3000), { at: [3000], columns: [[3]] })
})

test('ring: since keeps the stretches that begin then or later', () => {
  const ring = new Ring(1000, 10, 1)
  for (const second of [1, 2, 3]) ring.add(second * 1000 + 500, [second])
  assert.deepEqual(ring.rows(2000, 3999).at, [2000, 3000])
  assert.deepEqual(ring.rows(2001, 3999).at, [3000])
})

test('ring: whatever is added, it is what a list of everything would tell', () => {
  const seen = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: -9, max: 9 })), { maxLength: 60 })
  fc.assert(
    fc.property(seen, (unordered) => {
      const samples = unordered.toSorted(([a], [b]) => a - b)
      const now = samples.at(-1)?.[0] ?? 0
      const ring = new Ring(1, 8, 1)
      for (const [at, value] of samples) ring.add(at, [value])
      const kept = Map.groupBy(
        samples.filter(([at]) => at > now - 8),
        ([at]) => at,
      )
      const means = [...kept.values()].map(
        (each) => each.reduce((sum, [, value]) => sum + value, 0) / each.length,
      )
      assert.deepEqual(ring.rows(0, now), { at: [...kept.keys()], columns: [means] })
    }),
  )
})
