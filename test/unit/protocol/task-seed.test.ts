import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { taskSeed } from '../../../node/protocol/task-seed.ts'

test('a task’s seed is the hash of its spec and its index', () => {
  const spec = `0x${'ab'.repeat(32)}` as const
  const expected = createHash('sha256')
    .update(Buffer.from('ab'.repeat(32), 'hex'))
    .update(Buffer.from([0, 0, 1, 2]))
    .digest()
  assert.deepEqual(Buffer.from(taskSeed(spec, 258)), expected)
  assert.notDeepEqual(taskSeed(spec, 0), taskSeed(spec, 1))
})
