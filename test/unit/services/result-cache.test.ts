import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import { hour } from '../../../node/domain/units.ts'
import { Housekeeping } from '../../../node/services/housekeeping.ts'
import { ImageBook } from '../../../node/services/image-book.ts'
import { ResultCache } from '../../../node/services/requester/result-cache.ts'
import { WorkflowBook } from '../../../node/services/requester/workflow-book.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import { aRequest, claimed, finished, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
const SAME = { stdout: 'the same' }

async function aMarket() {
  const market = new TestMarket()
  const alice = market.member()
  const stack = new AsyncDisposableStack()
  stack.use(await market.provider(market.member()))
  const requester = stack.use(await market.requester(alice))
  return {
    market,
    alice,
    requester,
    run: async (
      script: FakeScript,
      spec: Partial<JobSpec> = {},
      cache: object = { cache: 'allow' },
    ) => {
      const deterministic = { deterministic: true, ...spec }
      const request = await aRequest(alice, script, { ...cache, spec: deterministic })
      return finished(requester, (await requester.submit(request, signal)).id)
    },
    [Symbol.asyncDispose]: async () => stack.disposeAsync(),
  }
}

test('result cache: the same deterministic job is answered without any offer, and costs nothing', async () => {
  await using it = await aMarket()
  const first = await it.run(SAME, { tasks: 2 })
  assert.deepEqual([first.cached, first.shares.length], [undefined, 1])
  const again = await it.run(SAME, { tasks: 2 })
  assert.deepEqual([again.state, again.cached, again.shares.length], ['settled', 2, 0])
  assert.notEqual(again.id, first.id)
  assert.deepEqual(again.results, first.results)
  await claimed(it.market, 2n * TASK_PRICE)
  const [entry] = await it.requester.cache.list()
  assert.deepEqual([entry?.spec, entry?.hits, entry?.results.length], [first.specCid, 2, 2])
})

test('result cache: any change of what decides the result misses', async () => {
  await using it = await aMarket()
  const input = { path: '/in/x', cid: await it.alice.blobs.add(new Uint8Array([1])), size: 1 }
  const other = { ...input, cid: await it.alice.blobs.add(new Uint8Array([2])) }
  await it.run(SAME, { files: [input] })
  assert.equal((await it.run(SAME, { files: [input] })).cached, 1)
  const resources = { cpuMillis: 1000, memoryBytes: 65 * 2 ** 20, diskBytes: 2 ** 24 }
  const changes: Partial<JobSpec>[] = [
    { files: [other] },
    { files: [{ ...input, path: '/in/y' }] },
    { args: ['1'] },
    { env: { A: '1' } },
    { fuel: 10 ** 9 },
    { tasks: 2 },
    { resources },
    { stdin: input },
  ]
  for (const change of changes)
    assert.equal(
      (await it.run(SAME, { files: [input], ...change })).cached,
      undefined,
      JSON.stringify(change),
    )
  assert.equal((await it.run({ stdout: 'other' }, { files: [input] })).cached, undefined)
})

test('result cache: off unless the job allows it, and never for what may come out differently', async () => {
  await using it = await aMarket()
  await it.run(SAME, {}, {})
  assert.deepEqual(await it.requester.cache.list(), [])
  await it.run(SAME)
  assert.equal((await it.run(SAME, {}, {})).cached, undefined)
  const request = await aRequest(it.alice, SAME, { cache: 'allow' })
  await assert.rejects(it.requester.submit(request, signal), { code: 'INPUT_INVALID' })
  // A limit of time is met differently on every machine.
  const late = await it.run({ spin: true }, { timeoutMs: 50 })
  assert.equal(late.results[0]?.reason, 'timeout')
  assert.equal((await it.requester.cache.list()).length, 1)
})

test('result cache: an exit code is a result like any other', async () => {
  await using it = await aMarket()
  await it.run({ exit: 3 })
  const again = await it.run({ exit: 3 })
  assert.deepEqual([again.cached, again.results[0]?.exitCode], [1, 3])
})

test('result cache: of an array that failed, only the tasks without a result are run again', async () => {
  await using it = await aMarket()
  const first = await it.run(SAME, { tasks: 3 })
  const [entry] = await it.requester.cache.list()
  assert.ok(entry)
  const results = [entry.results[0] ?? null, null, entry.results[2] ?? null]
  await it.requester.cache.clear()
  await it.requester.cache.take({ ...first, results })
  const again = await it.run(SAME, { tasks: 3 })
  assert.deepEqual([again.state, again.cached], ['settled', 2])
  const shares = await it.requester.book.sharesOf(again)
  assert.deepEqual(
    shares.map(({ tasks }) => tasks),
    [[1]],
  )
  await claimed(it.market, 4n * TASK_PRICE)
})

test('result cache: contents stay while it has them, and without them nothing is answered', async () => {
  await using it = await aMarket()
  const first = await it.run(SAME)
  const { requester, market, alice } = it
  const { logger, blobs, store } = market.parts(alice)
  const clock = { ...systemClock, now: () => systemClock.now() + 1000 * hour }
  const { book, cache } = requester
  const images = new ImageBook({ clock, store, blobs })
  const workflows = new WorkflowBook(store)
  const parts = { clock, logger, blobs, book, cache, works: undefined, images, workflows }
  await using housekeeping = new Housekeeping(parts, { cacheBytes: 0, keepResultsMs: hour })
  await housekeeping.pass(signal)
  assert.equal((await it.run(SAME)).cached, 1)
  const [entry] = await cache.list()
  await cache.remove(entry?.spec ?? '')
  await assert.rejects(cache.remove(entry?.spec ?? ''), { code: 'CACHE_UNKNOWN' })
  await housekeeping.pass(signal)
  assert.ok(!(await blobs.has(entry?.results[0]?.stdout.cid ?? '')))
  await cache.take(first)
  assert.equal((await it.run(SAME)).cached, undefined)
})

test('result cache: it is bounded, and what was not used for longest goes first', async () => {
  await using it = await aMarket()
  const { store, blobs } = it.market.parts(it.alice)
  const times = { now: 0 }
  const clock = { ...systemClock, now: () => ++times.now }
  const cache = new ResultCache({ clock, store, blobs }, { maxEntries: 2, maxBytes: 25 })
  const jobs = [await it.run(SAME), await it.run({ stdout: 'a' }), await it.run({ stdout: 'b' })]
  await cache.clear()
  const [one, two, three] = jobs
  assert.ok(one && two && three)
  await cache.take(one)
  await cache.take(two)
  await cache.answer(one.request, one.specCid)
  await cache.take(three)
  assert.deepEqual(
    (await cache.list()).map(({ spec }) => spec),
    [three.specCid, one.specCid],
  )
  const large = await it.run({ stdout: 'x'.repeat(24) })
  await cache.take(large)
  assert.deepEqual(
    (await cache.list()).map(({ spec }) => spec),
    [large.specCid, three.specCid],
  )
})
