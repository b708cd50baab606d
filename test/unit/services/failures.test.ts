import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '../../../node/ports/logger.ts'
import { Feed } from '../../../node/services/feed.ts'
import { quietLogger } from '../../support/quiet-logger.ts'
import { Table } from '../../../node/services/table.ts'
import {
  aRequest,
  claimed,
  finished,
  priceATask,
  started,
  TASK_PRICE,
  TestMarket,
  until,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const CHEAPER = {
  prices: priceATask(TASK_PRICE / 2n),
}
const SLOW = { sleepMs: 300, stdout: 'done' }

test('a provider that is gone in the middle of a task: done elsewhere, paid once', async () => {
  const market = new TestMarket()
  const [alice, bob, carol] = [market.member(), market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using _bob = await market.provider(bob)
  await using carols = await market.provider(carol)
  const { id } = await requester.submit(await aRequest(alice, SLOW, { spec: { tasks: 4 } }), signal)
  await started(requester, bob.signing.address)
  market.net.leave(bob.signing.peer)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  const lost = shares.filter(({ state }) => state === 'failed')
  assert.deepEqual(
    lost.map(({ provider, error }) => [provider, error]),
    [[bob.signing.address, 'PROVIDER_LOST']],
  )
  await claimed(market, 4n * TASK_PRICE)
  assert.equal(carols.earnings.all()[0]?.cumulative, 4n * TASK_PRICE)
})

test('the only provider is gone and does not come back: the job fails with a code, nothing is paid', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using _ = await market.provider(bob)
  const request = await aRequest(alice, SLOW, { bidWindowMs: 500 })
  const { id } = await requester.submit(request, signal)
  await started(requester)
  market.net.leave(bob.signing.peer)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'NO_BIDS'])
  assert.equal(market.chain.claimed, 0n)
  assert.equal(requester.channels.uncommitted(), requester.channels.all()[0]?.deposit)
})

test('a line that breaks for a moment: the share goes on where it was', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using _ = await market.provider(bob)
  const { id } = await requester.submit(await aRequest(alice, SLOW), signal)
  await started(requester)
  market.net.cut(alice.signing.peer, bob.signing.peer)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.equal(done.shares.length, 1)
  await claimed(market, TASK_PRICE)
})

test('a provider that was away too long delivers for nothing, and still gets the next share', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice, { lostAfterMs: 300 })
  const told = new Feed<string>()
  const logger: Logger = {
    ...quietLogger(),
    info: (message) => told.publish(message),
    child: () => logger,
  }
  await using bobs = await market.provider(bob, {}, { logger })
  const request = await aRequest(alice, { sleepMs: 700 }, { attempts: 1 })
  const { id } = await requester.submit(request, signal)
  await started(requester)
  const delivered = until(told, (message) => message === 'share done')
  market.net.part(alice.signing.peer, bob.signing.peer)
  assert.equal((await finished(requester, id)).error?.code, 'NO_PROVIDER_LEFT')
  await delivered
  assert.equal(bobs.works.owedOn(requester.channels.all()[0]?.id ?? '0x'), TASK_PRICE)
  market.net.heal(alice.signing.peer, bob.signing.peer)
  market.net.connect(alice.signing.peer, bob.signing.peer)
  const next = await requester.submit(await aRequest(alice, { stdout: 'again' }), signal)
  assert.equal((await finished(requester, next.id)).state, 'settled')
  await claimed(market, TASK_PRICE)
  assert.deepEqual((await bobs.works.all()).map(({ state }) => state).sort(), [
    'cancelled',
    'settled',
  ])
})

test('a requester that restarts during a task: the job goes on in the same share, paid once', async () => {
  const market = new TestMarket()
  let alice = market.member()
  await using provider = await market.provider(market.member())
  let id: string
  {
    await using first = await market.requester(alice)
    id = (await first.submit(await aRequest(alice, SLOW), signal)).id
    await started(first)
  }
  alice = market.rejoin(alice)
  await using second = await market.requester(alice)
  const done = await finished(second, id)
  assert.equal(done.state, 'settled')
  assert.equal(done.shares.length, 1)
  await claimed(market, TASK_PRICE)
  assert.equal((await provider.works.all()).length, 1)
})

test('a requester that is killed during a task: the job goes on, paid once', async () => {
  const market = new TestMarket()
  const before = market.member()
  await using _ = await market.provider(market.member())
  await using killed = await market.requester(before)
  const { id } = await killed.submit(await aRequest(before, SLOW, { spec: { tasks: 3 } }), signal)
  await started(killed)
  const after = await market.rejoinAfterKill(before)
  await using requester = await market.requester(after)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  await claimed(market, 3n * TASK_PRICE)
})

test('a provider that is stopped during a task and starts again: done elsewhere, paid once', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice, { lostAfterMs: 10_000 })
  await using first = await market.provider(bob, CHEAPER)
  await using carols = await market.provider(market.member())
  const { id } = await requester.submit(await aRequest(alice, SLOW), signal)
  await started(requester, bob.signing.address)
  await first[Symbol.asyncDispose]()
  await using second = await market.provider(market.rejoin(bob), CHEAPER)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  assert.deepEqual(
    shares.map(({ state, error }) => [state, error]),
    [
      ['failed', 'INTERRUPTED'],
      ['settled', undefined],
    ],
  )
  assert.deepEqual(
    (await second.works.all()).map(({ state, error }) => [state, error]),
    [['failed', 'INTERRUPTED']],
  )
  await claimed(market, TASK_PRICE)
  assert.equal(carols.earnings.all()[0]?.cumulative, TASK_PRICE)
})

test('a cancelled job: the provider’s task is stopped and nothing is paid', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using provider = await market.provider(market.member())
  const request = await aRequest(alice, { spin: true }, { spec: { tasks: 3 } })
  const { id } = await requester.submit(request, signal)
  await started(requester)
  const cancelled = await requester.cancel(id)
  assert.deepEqual([cancelled.state, cancelled.error?.code], ['cancelled', 'JOB_CANCELLED'])
  await until(requester.book.updates, async () => {
    const shares = await requester.book.sharesOf(cancelled)
    return shares.every(({ state }) => state === 'cancelled')
  })
  await requester[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  assert.deepEqual(
    (await provider.works.all()).map(({ state, error }) => [state, error]),
    [['cancelled', 'JOB_CANCELLED']],
  )
  assert.deepEqual(provider.slots.free, provider.slots.total)
  assert.equal(market.chain.claimed, 0n)
  assert.equal(provider.earnings.all()[0]?.cumulative, 0n)
})

test('cancelling twice, or a job that has ended, changes nothing; an unknown job is JOB_UNKNOWN', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const { id } = await requester.submit(await aRequest(alice, {}), signal)
  const done = await finished(requester, id)
  assert.deepEqual(await requester.cancel(id), done)
  assert.deepEqual(await requester.cancel(id.slice(0, 12)), done)
  await assert.rejects(requester.cancel('0xabcdef'), { code: 'JOB_UNKNOWN' })
  await assert.rejects(requester.cancel('job/'), { code: 'JOB_UNKNOWN' })
})

test('a job ends only when its last share has: one that fails does not leave others behind', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const requester = await market.requester(alice, { lostAfterMs: 100 })
  await using _bob = await market.provider(bob)
  await using _carol = await market.provider(market.member())
  const request = await aRequest(alice, { sleepMs: 800 }, { attempts: 1, spec: { tasks: 4 } })
  const { id } = await requester.submit(request, signal)
  await started(requester, bob.signing.address)
  market.net.leave(bob.signing.peer)
  const done = await finished(requester, id)
  assert.equal(done.error?.code, 'NO_PROVIDER_LEFT')
  const states = (await requester.book.sharesOf(done)).map(({ state }) => state)
  assert.deepEqual(states.sort(), ['failed', 'settled'])
  assert.equal(done.results.filter((result) => result !== null).length, 2)
  await requester[Symbol.asyncDispose]()
})

test('reservations of shares that never came to be are free again after a start', async () => {
  const market = new TestMarket()
  let alice = market.member()
  await using _ = await market.provider(market.member())
  {
    await using requester = await market.requester(alice)
    await finished(requester, (await requester.submit(await aRequest(alice, {}), signal)).id)
    const [channel] = requester.channels.all()
    assert.ok(channel)
    const left = { ...channel, inFlight: { [channel.id]: 5n } }
    await new Table(alice.store, 'channel/').put(channel.id, left)
  }
  alice = market.rejoin(alice)
  await using again = await market.requester(alice)
  assert.deepEqual(again.channels.all()[0]?.inFlight, {})
})
