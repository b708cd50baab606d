import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_SHARE_TASKS } from '../../../node/domain/offer.ts'
import { MiB } from '../../../node/domain/units.ts'
import { MAX_MANIFEST_BYTES } from '../../../node/protocol/limits.ts'
import { decodeManifest, encodeManifest, fitted } from '../../../node/protocol/results.ts'
import { aResult, SOME_CID } from '../../support/messages.ts'
import { aRequest, claimed, finished, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
const outputs = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ path: `/out/${at}`, cid: SOME_CID, size: 1 }))

test('results of a full share, each with as many files as fit: their manifest can be delivered', () => {
  let most = 0
  while (fitted(aResult(0, { files: outputs(most + 1) }), MAX_SHARE_TASKS).files.length > most)
    most++
  assert.ok(most > 100, `only ${most} files a task`)
  const full = Array.from({ length: MAX_SHARE_TASKS }, (_, at) =>
    fitted(aResult(at, { files: outputs(most) }), MAX_SHARE_TASKS),
  )
  const bytes = encodeManifest(full)
  assert.ok(bytes.byteLength <= MAX_MANIFEST_BYTES && bytes.byteLength > MAX_MANIFEST_BYTES - MiB)
  assert.equal(decodeManifest(bytes)[MAX_SHARE_TASKS - 1]?.files.length, most)
})

test('a result with one file too many: says so, without its files, and keeps another end’s reason', () => {
  const files = outputs(1000)
  const over = fitted(aResult(0, { reason: 'exit', files }), MAX_SHARE_TASKS)
  assert.deepEqual([over.reason, over.exitCode, over.files], ['output-limit', -1, []])
  assert.match(over.detail, /1000 output files/)
  assert.equal(fitted(aResult(0, { reason: 'timeout', files }), MAX_SHARE_TASKS).reason, 'timeout')
  assert.equal(fitted(aResult(0, { files }), 1).files.length, 1000)
})

test('more tasks than a share may have: the one provider takes them in several, and is paid for all', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const tasks = MAX_SHARE_TASKS + 1
  const request = await aRequest(alice, { stdout: 'x' }, { spec: { tasks, stream: false } })
  const done = await finished(requester, (await requester.submit(request, signal)).id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  assert.deepEqual(
    shares.map((share) => share.tasks.length),
    [MAX_SHARE_TASKS, 1],
  )
  await claimed(market, BigInt(tasks) * TASK_PRICE)
})
