import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ShareLog } from '../../../node/services/provider/share-log.ts'

test('work logs: what tasks have printed is there to see, and looking does not count as following', async () => {
  const log = new ShareLog()
  log.add({ type: 'started', index: 0 })
  log.addOutput(0, 1, Buffer.from('out'))
  log.addOutput(1, 2, Buffer.from('err'))
  let followed = false
  void log.followed.then(() => (followed = true))
  const said = log.printed().map(({ index, stream, bytes }) => [index, stream, String(bytes)])
  assert.deepEqual(said, [
    [0, 1, 'out'],
    [1, 2, 'err'],
  ])
  await Promise.resolve()
  assert.equal(followed, false)
})
