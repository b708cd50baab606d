import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  HELD_MS,
  heldBytes,
  MAX_HELD,
  MAX_PACES,
  NOTHING_SEEN,
  paceOf,
  taskPace,
  withContents,
  withPace,
} from '../../../node/domain/seen-content.ts'
import { aResult } from '../../support/messages.ts'

const NOW = 1_800_000_000_000
const SIZES = new Map([
  ['image', 100],
  ['input', 10],
])

test('contents count by their size until they are too old, each once', () => {
  const seen = withContents(NOTHING_SEEN, ['image', 'input', 'image', 'other'], NOW)
  assert.equal(heldBytes(seen, SIZES, NOW + HELD_MS - 1), 110)
  assert.equal(heldBytes(seen, SIZES, NOW + HELD_MS), 0)
  const again = withContents(seen, ['image'], NOW + HELD_MS - 1)
  assert.equal(heldBytes(again, SIZES, NOW + HELD_MS), 100)
})

test('contents and paces beyond what is remembered: the earliest go', () => {
  const many = Array.from({ length: MAX_HELD }, (_, at) => `content ${at}`)
  const seen = withContents(withContents(NOTHING_SEEN, ['image'], NOW), many, NOW + 1)
  assert.deepEqual([seen.held.length, heldBytes(seen, SIZES, NOW + 1)], [MAX_HELD, 0])
  const paces = many.reduce((all, program, at) => withPace(all, program, at), NOTHING_SEEN)
  assert.equal(paces.paces.length, MAX_PACES)
  assert.deepEqual([paceOf(paces, 'content 0'), paceOf(paces, many.at(-1) ?? '')], [undefined, 255])
})

test('the pace of a program is that of its last share, whatever else ran there since', () => {
  const seen = withPace(withPace(withPace(NOTHING_SEEN, 'a', 5), 'b', 9), 'a', 7)
  assert.deepEqual([paceOf(seen, 'a'), paceOf(seen, 'b'), paceOf(seen, 'c')], [7, 9, undefined])
})

for (const [what, wallMs, tookMs, expected] of [
  ['what the provider says', [100, 300], 350, 200],
  ['no faster than if all had run at once', [1, 1], 500, 250],
  ['no slower than the whole share', [9000, 9000], 500, 500],
  ['never nothing', [0], 0, 1],
] as const)
  test(`pace of a task: ${what}`, () => {
    const results = wallMs.map((ms, index) => {
      const { usage } = aResult(index)
      return aResult(index, { usage: { ...usage, wallMs: ms } })
    })
    assert.equal(taskPace(results, tookMs), expected)
  })

test('pace of a task: of a share in which none ended, none', () => {
  assert.equal(taskPace([aResult(0, { reason: 'killed' })], 100), undefined)
  assert.equal(taskPace([], 100), undefined)
})
