import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyRange } from '../../../../node/adapters/store/key-range.ts'

test('key range: ends before the first key that does not start with the prefix', () => {
  assert.deepEqual(keyRange(Uint8Array.of(1, 2)).lt, Uint8Array.of(1, 3))
  assert.deepEqual(keyRange(Uint8Array.of(1, 0xff)).lt, Uint8Array.of(2))
})

test('key range: has no upper end when nothing can follow the prefix', () => {
  assert.equal(keyRange(new Uint8Array()).lt, undefined)
  assert.equal(keyRange(Uint8Array.of(0xff, 0xff)).lt, undefined)
})
