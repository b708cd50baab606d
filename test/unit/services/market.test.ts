import assert from 'node:assert/strict'
import { test } from 'node:test'
import { feeUp } from '../../../node/domain/money.ts'
import { GiB } from '../../../node/domain/units.ts'
import type { Gossip } from '../../../node/ports/gossip.ts'
import { Feed } from '../../../node/services/feed.ts'
import type { Blobs } from '../../../node/ports/blobs.ts'
import {
  aRequest,
  claimed,
  finished,
  priceATask,
  TASK_PRICE,
  TestMarket,
  TOKEN,
  until,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const textOf = async (blobs: Blobs, cid: string | undefined) =>
  new TextDecoder().decode(await blobs.get(cid ?? '', { maxBytes: 1000, signal }))

test('one job: the requester gets the output, the provider is paid on chain, the fee goes to the treasury', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using provider = await market.provider(bob)
  const job = await requester.submit(await aRequest(alice, { stdout: 'hello\n', exit: 3 }), signal)
  const done = await finished(requester, job.id)
  assert.equal(done.state, 'settled')
  assert.equal(done.results[0]?.exitCode, 3)
  assert.equal(await textOf(alice.blobs, done.results[0]?.stdout.cid), 'hello\n')
  await claimed(market, TASK_PRICE)
  const fee = feeUp(TASK_PRICE, 250n)
  const bond = TOKEN
  assert.equal(market.chain.free.get(bob.signing.address), 100n * TOKEN - bond + TASK_PRICE - fee)
  const works = await provider.works.all()
  assert.deepEqual(
    works.map(({ state, amount }) => [state, amount]),
    [['settled', TASK_PRICE]],
  )
})

test('an array of tasks is spread over three providers, each paid for its own, each task done once', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using a = await market.provider(market.member())
  await using b = await market.provider(market.member())
  await using c = await market.provider(market.member())
  const request = await aRequest(
    alice,
    { echoArgs: true },
    { spec: { tasks: 12, args: ['0', 'task {index} of {count}'] } },
  )
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  for (const [index, result] of done.results.entries())
    assert.equal(await textOf(alice.blobs, result?.stdout.cid), `task ${index} of 12\n`)
  await claimed(market, 12n * TASK_PRICE)
  const shares = await Promise.all([a, b, c].map(async ({ works }) => works.all()))
  assert.deepEqual(
    shares.map((works) => works.flatMap(({ tasks }) => tasks).length),
    [4, 4, 4],
  )
})

test('a second job to the same provider uses the same channel and pays by one higher voucher', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using provider = await market.provider(market.member())
  for (let job = 1n; job <= 3n; job++) {
    const { id } = await requester.submit(await aRequest(alice, { stdout: String(job) }), signal)
    assert.equal((await finished(requester, id)).state, 'settled')
    await claimed(market, job * TASK_PRICE)
  }
  assert.equal(market.chain.events.filter(({ type }) => type === 'opened').length, 1)
  assert.equal(provider.earnings.all()[0]?.paid.length, 3)
})

test('a channel that a job outgrows is topped up, not opened again', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice, { channelDeposit: TASK_PRICE })
  await using provider = await market.provider(market.member())
  for (const tasks of [1, 3]) {
    const { id } = await requester.submit(await aRequest(alice, {}, { spec: { tasks } }), signal)
    assert.equal((await finished(requester, id)).state, 'settled')
  }
  await claimed(market, 4n * TASK_PRICE)
  const types = market.chain.events.map(({ type }) => type).filter((type) => type !== 'claimed')
  assert.deepEqual(types, ['opened', 'topped-up'])
  assert.equal(provider.earnings.all()[0]?.deposit, 4n * TASK_PRICE)
})

test('nobody can do it for that: NO_BIDS, at once, with everybody’s reason', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _dear = await market.provider(market.member(), {
    prices: priceATask(TOKEN),
  })
  await using _small = await market.provider(market.member(), {
    resources: { cpuMillis: 500, memoryBytes: GiB, diskBytes: GiB },
  })
  await using _busy = await market.provider(market.member(), { maxQueue: 0 })
  const { id } = await requester.submit(await aRequest(alice, {}, { bidWindowMs: 60_000 }), signal)
  const done = await finished(requester, id)
  assert.equal(done.error?.code, 'NO_BIDS')
  assert.ok(Array.isArray(done.error?.data['reasons']))
  assert.deepEqual(
    new Set(done.error.data['reasons']),
    new Set(['DECLINED_BUSY', 'DECLINED_PRICE', 'DECLINED_RESOURCES']),
  )
  assert.deepEqual(market.chain.events, [])
})

test('a job dearer than the account is refused before anything is announced', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const request = await aRequest(alice, {}, { maxPrice: 101n * TOKEN })
  await assert.rejects(requester.submit(request, signal), { code: 'INSUFFICIENT_DEPOSIT' })
  assert.deepEqual(await requester.book.list(), [])
  assert.ok(!market.log.some(({ message }) => message.startsWith('offer')))
  market.chain.fund(alice.signing.address, 101n * TOKEN)
  await finished(requester, (await requester.submit(request, signal)).id)
})

test('a request that the market’s rules forbid is refused before it is on record', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const bad = [
    { bidWindowMs: 0 },
    { bidWindowMs: 301_000 },
    { maxPrice: 0n },
    { spec: { timeoutMs: 25 * 3600_000 } },
  ]
  for (const changes of bad) {
    const request = await aRequest(alice, {}, changes)
    await assert.rejects(requester.submit(request, signal), { code: 'OFFER_INVALID' })
  }
  assert.deepEqual(await requester.book.list(), [])
})

test('an offer that nobody heard is announced again until its window closes', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const heard = new Feed<number>()
  const { gossip } = market.parts(alice)
  const watched: Gossip = {
    subscribe: (...args) => gossip.subscribe(...args),
    listeners: (topic) => gossip.listeners(topic),
    publish: async (topic, bytes) => {
      const peers = await gossip.publish(topic, bytes)
      heard.publish(peers.length)
      return peers
    },
  }
  await using requester = await market.requester(alice, {}, { gossip: watched })
  const alone = until(heard, (peers) => peers === 0)
  const request = await aRequest(alice, { stdout: 'late' }, { bidWindowMs: 10_000 })
  const { id } = await requester.submit(request, signal)
  await alone
  await using _ = await market.provider(market.member())
  assert.equal((await finished(requester, id)).state, 'settled')
})
