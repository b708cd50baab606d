import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  afterDelivery,
  afterFailure,
  believedCapacity,
  faultsOf,
  NEWCOMER_CAPACITY,
  NO_RECORD,
  type TrackRecord,
} from '../../../node/domain/track-record.ts'
import { hour, minute } from '../../../node/domain/units.ts'

const NOW = 1_800_000_000_000
const failing = (times: number): TrackRecord =>
  times === 0 ? NO_RECORD : afterFailure(failing(times - 1), NOW)

for (const [times, restMs] of [
  [1, minute],
  [2, 2 * minute],
  [5, 16 * minute],
  [7, hour],
  [100, hour],
] as const)
  test(`track record: after ${times} failures in a row a provider rests ${restMs / minute} minutes`, () => {
    assert.equal(faultsOf(failing(times), NOW + restMs - 1), times)
    assert.equal(faultsOf(failing(times), NOW + restMs), 0)
  })

test('track record: one delivery ends a row of failures, and a share of nothing is no delivery', () => {
  assert.equal(faultsOf(afterDelivery(failing(3), 1, 10), NOW), 0)
  assert.equal(faultsOf(afterDelivery(failing(3), 0, 10), NOW), 3)
  assert.deepEqual(
    [afterDelivery(failing(3), 2, 10).failed, afterDelivery(failing(3), 2, 10).msPerTask],
    [3, 5],
  )
})

for (const [largest, claimed, believed] of [
  [0, 4, 4],
  [0, 1_000_000, NEWCOMER_CAPACITY],
  [1, 1_000_000, NEWCOMER_CAPACITY],
  [100, 1_000_000, 200],
  [100, 150, 150],
] as const)
  test(`track record: ${largest} delivered at once and ${claimed} claimed: believed to run ${believed}`, () => {
    const record = afterDelivery(NO_RECORD, largest, 1000)
    assert.equal(believedCapacity(record, claimed), believed)
  })
