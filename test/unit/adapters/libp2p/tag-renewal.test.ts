import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TagRenewal } from '../../../../node/adapters/libp2p/tag-renewal.ts'
import { minute } from '../../../../node/domain/units.ts'

const TAGS = ['kind=wasm', 'gpu']

test('a tag that others know is announced again after an hour, and one that nobody took with the next advert', () => {
  const renewal = new TagRenewal()
  assert.deepEqual(renewal.due(TAGS, 0), TAGS)
  renewal.note('gpu', 0)
  assert.deepEqual(renewal.due(TAGS, 10 * minute), ['kind=wasm'])
  renewal.note('kind=wasm', 10 * minute)
  assert.deepEqual(renewal.due(TAGS, 59 * minute), [])
  assert.deepEqual(renewal.due(TAGS, 60 * minute), ['gpu'])
})

test('a tag that was withdrawn is announced at once when the node has it again', () => {
  const renewal = new TagRenewal()
  for (const tag of TAGS) renewal.note(tag, 0)
  renewal.forget(['gpu'])
  assert.deepEqual(renewal.due(TAGS, 1 * minute), ['gpu'])
})
