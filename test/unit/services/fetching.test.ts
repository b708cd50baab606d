import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { hour, second } from '../../../node/domain/units.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { FETCH_TIMEOUT_MS } from '../../../node/services/provider/arrival.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { aRequest, finished, TestMarket, until } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A sandbox whose images become ready when the test says so. */
function slowToPrepare() {
  const sandbox = createFakeSandbox()
  const asked = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const slow: Sandbox = {
    ...sandbox,
    prepare: async (image, options) => {
      asked.resolve()
      const { promise: stopped, reject } = Promise.withResolvers<never>()
      options.signal.addEventListener('abort', () => reject(new HiveError('CANCELLED')))
      await Promise.race([go.promise, stopped])
      await sandbox.prepare?.(image, options)
    },
  }
  return { slow, asked: asked.promise, go: go.resolve }
}

test('a share is fetching while its image is made ready, and none of that is its task’s time', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const { slow, asked, go } = slowToPrepare()
  await using requester = await market.requester(alice)
  await using provider = await market.provider(market.member(), {}, { sandboxes: [slow] })
  const spec = { timeoutMs: second / 2 }
  const { id } = await requester.submit(await aRequest(alice, { stdout: 'fine' }, { spec }), signal)
  await asked
  await until(requester.book.updates, async () => {
    const [share] = await requester.book.sharesOf(await requester.book.find(id))
    return share?.state === 'fetching'
  })
  assert.deepEqual(
    (await provider.works.all()).map(({ state }) => state),
    ['fetching'],
  )
  const late = setTimeout(go, second)
  const done = await finished(requester, id)
  clearTimeout(late)
  assert.equal(done.results[0]?.reason, 'exit')
})

test('fetching has a time of its own, after which the share fails and says so', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const clock = new ManualClock(Date.now())
  const { slow, asked } = slowToPrepare()
  await using requester = await market.requester(alice, { lostAfterMs: hour })
  await using provider = await market.provider(market.member(), {}, { sandboxes: [slow], clock })
  const request = await aRequest(alice, {}, { attempts: 1 })
  const { id } = await requester.submit(request, signal)
  await asked
  await clock.advance(FETCH_TIMEOUT_MS)
  const done = await finished(requester, id)
  assert.equal(done.state, 'failed')
  const [work] = await provider.works.all()
  assert.deepEqual([work?.state, work?.error], ['failed', 'FETCH_TIMEOUT'])
})

test('an image that cannot be run is its task’s end, not its provider’s failure', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const bytes = Buffer.from('no script')
  const image = { path: '/image', cid: await alice.blobs.add(bytes), size: bytes.byteLength }
  const request = await aRequest(alice, {}, { spec: { image, tasks: 2 }, attempts: 1 })
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  assert.deepEqual(
    done.results.map((result) => result?.reason),
    ['image-bad', 'image-bad'],
  )
})
