import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { Keeping } from '../../../node/domain/keeping.ts'
import { hour } from '../../../node/domain/units.ts'
import { Housekeeping } from '../../../node/services/housekeeping.ts'
import { ImageBook } from '../../../node/services/image-book.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import { WorkflowBook } from '../../../node/services/requester/workflow-book.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import { aRequest, finished, type Member, started, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
const OPTIONS = { cacheBytes: 0, keepResultsMs: 720 * hour }

/** A pass over a member's content, as it were `inMs` from now. */
async function pass(
  market: TestMarket,
  member: Member,
  { requester, provider }: { requester: Requester; provider?: Provider },
  inMs: number,
  options = OPTIONS,
): Promise<number> {
  const { logger, blobs, store } = market.parts(member)
  const clock = { ...systemClock, now: () => systemClock.now() + inMs }
  const images = new ImageBook({ clock, store, blobs })
  const workflows = new WorkflowBook(store)
  const works = provider?.works
  const { book, cache } = requester
  const parts = { clock, logger, blobs, book, cache, works, images, workflows }
  await using housekeeping = new Housekeeping(parts, options)
  return housekeeping.pass(signal)
}

test('housekeeping: results of own jobs are kept as long as said, inputs only while needed', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const request = await aRequest(alice, { stdout: 'the result' })
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  const output = done.results[0]?.stdout.cid ?? ''
  const image = request.spec.image.cid
  const here = () => Promise.all([image, output].map((cid) => alice.blobs.has(cid)))
  assert.equal(await pass(market, alice, { requester }, 0), 0)
  assert.ok((await pass(market, alice, { requester }, 2 * hour)) > 0)
  assert.deepEqual(await here(), [false, true])
  await pass(market, alice, { requester }, 721 * hour)
  assert.deepEqual(await here(), [false, false])
})

test('housekeeping: what a job under way has brought stays on both sides, however long it takes', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using provider = await market.provider(bob)
  const request = await aRequest(alice, { spin: true })
  const { id } = await requester.submit(request, signal)
  await started(requester)
  const image = request.spec.image.cid
  await pass(market, alice, { requester }, 20 * hour)
  await using bobs = await market.requester(bob)
  await pass(market, bob, { requester: bobs, provider }, 20 * hour)
  assert.deepEqual([await alice.blobs.has(image), await bob.blobs.has(image)], [true, true])
  await requester.cancel(id)
})

test('housekeeping: the cache keeps what was used last, as far as it has room', async () => {
  const market = new TestMarket()
  const bob = market.member()
  await using requester = await market.requester(bob)
  const old = await bob.blobs.add(new Uint8Array(1000))
  await new Promise((resolve) => setTimeout(resolve, 5))
  const young = await bob.blobs.add(new Uint8Array(1001))
  const options = { ...OPTIONS, cacheBytes: 1001 }
  assert.equal(await pass(market, bob, { requester }, 2 * hour, options), 1000)
  assert.deepEqual([await bob.blobs.has(old), await bob.blobs.has(young)], [false, true])
})

test('content beyond what a provider gives to it: nothing is fetched, and the requester hears why', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const request = await aRequest(alice, { stdout: 'x' })
  const contentBytes = request.spec.image.size - 1
  await using provider = await market.provider(bob, { contentBytes })
  const done = await finished(requester, (await requester.submit(request, signal)).id)
  assert.equal(done.state, 'failed')
  const [share] = await requester.book.sharesOf(done)
  assert.deepEqual([share?.state, share?.error], ['failed', 'CONTENT_BUDGET'])
  assert.equal(await bob.blobs.has(request.spec.image.cid), false)
  assert.equal(provider.works.owedOn(share?.channel ?? '0x'), 0n)
})

test('housekeeping: an image that was added stays with its layers until it is given up', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const { clock, store, blobs } = market.parts(alice)
  const images = new ImageBook({ clock, store, blobs })
  const layer = { cid: await blobs.add(Buffer.from('layer')), size: 5 }
  const stored = await images.store({ config: Buffer.from('{}'), layers: [layer] })
  await images.keep(stored, 'app.tar')
  assert.deepEqual(
    (await images.list()).map(({ cid, size, source }) => [cid, size, source]),
    [[stored.cid, 7, 'app.tar']],
  )
  assert.equal(await pass(market, alice, { requester }, 20 * hour), 0)
  assert.equal(await blobs.has(stored.cid), true)
  await images.remove(stored.cid)
  await assert.rejects(images.remove(stored.cid), { code: 'IMAGE_UNKNOWN' })
  assert.ok((await pass(market, alice, { requester }, 20 * hour)) > 0)
  assert.deepEqual([await blobs.has(stored.cid), await blobs.has(layer.cid)], [false, false])
})

test('housekeeping: a job’s own policy says how long its results and its inputs are kept', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const jobOf = async (name: string, keep: Keeping) => {
    const request = await aRequest(alice, { stdout: name }, { keep })
    const done = await finished(requester, (await requester.submit(request, signal)).id)
    return { id: done.id, image: request.spec.image.cid, output: done.results[0]?.stdout.cid ?? '' }
  }
  const short = await jobOf('short', { results: 10 * hour, inputs: 'forever' })
  const fetched = await jobOf('fetched', { results: 'until-fetched' })
  const ever = await jobOf('ever', { results: 'forever', inputs: 10 * hour })
  const here = async (...cids: string[]) =>
    Promise.all(cids.map(async (cid) => alice.blobs.has(cid)))
  await pass(market, alice, { requester }, 9 * hour)
  assert.deepEqual(await here(short.output, short.image, ever.image), [true, true, true])
  await pass(market, alice, { requester }, 11 * hour)
  assert.deepEqual(await here(short.output, short.image, ever.image), [false, true, false])
  await pass(market, alice, { requester }, 9000 * hour)
  assert.deepEqual(await here(fetched.output, ever.output), [true, true])
  await requester.fetched(fetched.id)
  await pass(market, alice, { requester }, 9000 * hour)
  assert.deepEqual(await here(fetched.output, ever.output), [false, true])
})
