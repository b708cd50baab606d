import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../node/domain/units.ts'
import { AskingTimes } from '../../../node/services/asking-times.ts'

/** Looks each minute and asks when that is due; returns the minutes in which it did. */
function asked(
  times: AskingTimes,
  isSeen: (at: number) => boolean,
  way: (at: number) => string = () => 'one way',
) {
  const minutes = Array.from({ length: 120 }, (_, at) => at)
  return minutes.filter((at) => {
    const isDue = times.isDue(way(at), at * minute)
    if (isDue) times.note(isSeen(at), at * minute)
    return isDue
  })
}

test('a node that is seen asks every half hour', () => {
  assert.deepEqual(
    asked(new AskingTimes(), () => true),
    [0, 30, 60, 90],
  )
})

test('a node that is not seen asks soon, then less and less often, and never less than one that is', () => {
  assert.deepEqual(
    asked(new AskingTimes(), () => false),
    [0, 1, 3, 7, 15, 31, 61, 91],
  )
})

test('a node to which others come in a new way asks at once, and soon where it is not seen so', () => {
  const way = (at: number) => (at < 40 ? 'one way' : 'another')
  assert.deepEqual(
    asked(new AskingTimes(), (at) => at < 40, way),
    [0, 30, 40, 41, 43, 47, 55, 71, 101],
  )
})

test('a node whose ways change all the time asks each minute at most', () => {
  const times = new AskingTimes()
  const due = Array.from({ length: 121 }, (_, second) => {
    const isDue = times.isDue(String(second), second * 1000)
    if (isDue) times.note(true, second * 1000)
    return isDue
  })
  assert.equal(due.filter(Boolean).length, 3)
})
