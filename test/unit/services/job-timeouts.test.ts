import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { JobHandling } from '../../../node/domain/job-handling.ts'
import { hour, second } from '../../../node/domain/units.ts'
import { decodeShareEvent, type ShareEvent } from '../../../node/protocol/share-events.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import {
  aRequest,
  type Member,
  claimed,
  finished,
  priceATask,
  started,
  TASK_PRICE,
  TestMarket,
  until,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const SPIN = { spin: true }

test('total timeout: the job fails when it is over, its provider stops, results that came are kept and paid', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using provider = await market.provider(market.member())
  const request = await aRequest(alice, SPIN, { timeouts: { totalMs: 900 } })
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'JOB_TIMEOUT'])
  assert.deepEqual(done.error?.data, { totalMs: 900 })
  const [share] = await requester.book.sharesOf(done)
  assert.deepEqual([share?.state, share?.error], ['cancelled', 'JOB_TIMEOUT'])
  assert.equal(market.chain.claimed, 0n)
  const works = await provider.works.all()
  assert.deepEqual(
    works.map(({ state }) => state),
    ['cancelled'],
  )
})

test('total timeout: what one provider delivered in time is kept when another one is late', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const resources = { cpuMillis: 1000, memoryBytes: 2 ** 30, diskBytes: 2 ** 30 }
  await using _fast = await market.provider(market.member(), { resources })
  const slow = createFakeSandbox()
  const never = {
    ...slow,
    run: async (...args: Parameters<typeof slow.run>) => {
      await new Promise((resolve) => args[1].signal.addEventListener('abort', resolve))
      return slow.run(...args)
    },
  }
  await using _slow = await market.provider(market.member(), { resources }, { sandboxes: [never] })
  const changes = { timeouts: { totalMs: 1500 }, spec: { tasks: 2 } }
  const { id } = await requester.submit(await aRequest(alice, { stdout: 'x' }, changes), signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'JOB_TIMEOUT'])
  assert.equal(done.results.filter((result) => result !== null).length, 1)
  await claimed(market, TASK_PRICE)
})

test('total timeout: it runs on while the node is down', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const request = await aRequest(alice, SPIN, { timeouts: { totalMs: hour } })
  await using _ = await market.provider(market.member())
  const first = await market.requester(alice)
  const { id } = await first.submit(request, signal)
  await started(first)
  const again = await market.rejoinAfterKill(alice)
  const later = { ...systemClock, now: () => systemClock.now() + hour }
  await using second_ = await market.requester(again, {}, { clock: later })
  const done = await finished(second_, id)
  assert.equal(done.error?.code, 'JOB_TIMEOUT')
  await first[Symbol.asyncDispose]()
})

/** A job that nobody can take when it is submitted. */
async function untaken(timeouts: JobHandling['timeouts']) {
  const market = new TestMarket()
  const alice = market.member()
  const requester = await market.requester(alice)
  const changes = { bidWindowMs: 200, ...(timeouts !== undefined && { timeouts }) }
  const { id } = await requester.submit(await aRequest(alice, { stdout: 'x' }, changes), signal)
  return { market, requester, id }
}

test('queue timeout: without one, a job that nobody takes fails after one round', async () => {
  const { requester, id } = await untaken(undefined)
  await using _ = requester
  assert.equal((await finished(requester, id)).error?.code, 'NO_BIDS')
})

test('queue timeout: a job that nobody takes is offered again until somebody comes', async () => {
  const { market, requester, id } = await untaken({ queueMs: 30 * second })
  await using _ = requester
  await until(
    requester.book.updates,
    async () => (await requester.book.get(id)).answers !== undefined,
  )
  await using _late = await market.provider(market.member())
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.ok(done.offers.length > 1)
})

test('queue timeout: nobody comes until it is over, and the end says why', async () => {
  const { requester, id } = await untaken({ queueMs: 1300 })
  await using _ = requester
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'QUEUE_TIMEOUT'])
  assert.deepEqual([done.error?.data['queueMs'], done.error?.data['reason']], [1300, 'NO_BIDS'])
  assert.ok((done.finishedAt ?? 0) - done.createdAt >= 1300)
})

test('queue timeout: a provider that took the task and has no slot for it is told to stop', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const resources = { cpuMillis: 1000, memoryBytes: 2 ** 30, diskBytes: 2 ** 30 }
  await using _ = await market.provider(market.member(), { resources })
  const long = await requester.submit(await aRequest(alice, SPIN), signal)
  await started(requester)
  const request = await aRequest(alice, {}, { timeouts: { queueMs: 800 } })
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'QUEUE_TIMEOUT'])
  const [share] = await requester.book.sharesOf(done)
  assert.deepEqual([share?.state, share?.error], ['failed', 'QUEUE_TIMEOUT'])
  assert.equal((await requester.book.get(long.id)).state, 'running')
  await requester.cancel(long.id)
})

test('fetch timeout: a provider that cannot bring the program in time loses the task to another one', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const stuck = createFakeSandbox()
  const never = {
    ...stuck,
    prepare: async (_image: unknown, { signal: stop }: { signal: AbortSignal }) => {
      await new Promise((resolve) => stop.addEventListener('abort', resolve))
      stop.throwIfAborted()
    },
  }
  const cheaper = { prices: priceATask(TASK_PRICE / 2n) }
  await using _bobs = await market.provider(bob, cheaper, { sandboxes: [never] })
  await using _carols = await market.provider(market.member())
  const request = await aRequest(alice, { stdout: 'x' }, { timeouts: { fetchMs: 400 } })
  const done = await finished(requester, (await requester.submit(request, signal)).id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  assert.deepEqual(
    shares.map(({ state, error }) => [state, error]),
    [
      ['failed', 'FETCH_TIMEOUT'],
      ['settled', undefined],
    ],
  )
  assert.equal(shares[0]?.provider, bob.signing.address)
  await claimed(market, TASK_PRICE)
})

const QUEUE_MS: number = 20 * second
/** The clock of a node that comes back when tasks may not wait any more. */
const MUCH_LATER = { ...systemClock, now: () => systemClock.now() + QUEUE_MS + second }

/** A requester's ports that do not hear a provider any more from the first event on that `isLost` names. */
function deafFrom(requests: Requests, isLost: (event: ShareEvent) => boolean): Requests {
  return {
    call: async (...args) => requests.call(...args),
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    stream: async function* (...args) {
      for await (const frame of requests.stream(...args)) {
        if (isLost(decodeShareEvent(frame))) return await silence(args[3].signal)
        yield frame
      }
    },
  }
}

async function silence(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    stop.addEventListener('abort', () => reject(stop.reason as Error), { once: true }),
  )
}

/** A requester is killed once its share is as `reached` says, and is back when the time to wait is over. */
async function backLater(
  market: TestMarket,
  alice: Member,
  script: Parameters<typeof aRequest>[1],
  reached: (requester: Requester) => Promise<void>,
  parts: Parameters<TestMarket['requester']>[2] = {},
) {
  const first = await market.requester(alice, {}, parts)
  const request = await aRequest(alice, script, { timeouts: { queueMs: QUEUE_MS }, attempts: 1 })
  const { id } = await first.submit(request, signal)
  await reached(first)
  const again = await market.rejoinAfterKill(alice)
  await using second_ = await market.requester(again, {}, { clock: MUCH_LATER })
  const done = await finished(second_, id)
  const shares = await second_.book.sharesOf(done)
  await first[Symbol.asyncDispose]()
  return { done, shares: shares.map(({ state, error }) => [state, error]) }
}

async function inState(requester: Requester, state: string): Promise<void> {
  await until(
    requester.book.updates,
    (update) => update?.type === 'share' && update.share.state === state,
  )
}

test('queue timeout: a requester that comes back later leaves a task alone that has begun', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _ = await market.provider(market.member())
  const { done, shares } = await backLater(market, alice, { sleepMs: 500 }, async (first) =>
    until(first.book.updates, (update) => update?.type === 'share' && update.share.begun === true),
  )
  assert.deepEqual([done.state, shares], ['settled', [['settled', undefined]]])
})

test('queue timeout: a requester that was killed before it heard that a task began hears it first', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _ = await market.provider(market.member())
  const requests = deafFrom(alice.node.requests, ({ type }) => type === 'started')
  const { done, shares } = await backLater(
    market,
    alice,
    { sleepMs: 500 },
    async (first) => inState(first, 'running'),
    { requests },
  )
  assert.deepEqual([done.state, shares], ['settled', [['settled', undefined]]])
})

test('queue timeout: a result that was being verified when its requester was killed is not thrown away', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _ = await market.provider(market.member())
  const { blobs } = alice
  const stuck = new Proxy(blobs, {
    get: (target, name) =>
      name === 'get'
        ? async (_cid: string, options: { signal: AbortSignal }) => silence(options.signal)
        : Reflect.get(target, name).bind(target),
  })
  const { done, shares } = await backLater(
    market,
    alice,
    { stdout: 'x' },
    async (first) => inState(first, 'verifying'),
    { blobs: stuck },
  )
  assert.deepEqual([done.state, shares], ['settled', [['settled', undefined]]])
})

test('queue timeout: a task that still waits at its provider when its requester comes back late is given up', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const resources = { cpuMillis: 1000, memoryBytes: 2 ** 30, diskBytes: 2 ** 30 }
  await using _ = await market.provider(market.member(), { resources })
  await using other = await market.requester(market.member())
  const long = await other.submit(await aRequest(alice, SPIN), signal)
  await started(other)
  const { done, shares } = await backLater(market, alice, {}, async (first) =>
    inState(first, 'running'),
  )
  assert.deepEqual([done.error?.code, shares], ['QUEUE_TIMEOUT', [['failed', 'QUEUE_TIMEOUT']]])
  await other.cancel(long.id)
})
