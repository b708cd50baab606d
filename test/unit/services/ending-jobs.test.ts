import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Blobs } from '../../../node/ports/blobs.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { ENDING_MS } from '../../../node/services/requester/job-loops.ts'
import type { JobRecord, JobRequest } from '../../../node/services/requester/records.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import { hour, second } from '../../../node/domain/units.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { isFinal } from '../../../node/domain/job-state.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SOME_CID } from '../../support/messages.ts'
import { tamperedFollow } from '../../support/tampered-follow.ts'
import {
  aRequest,
  claimed,
  finished,
  priceATask,
  started,
  TASK_PRICE,
  TestMarket,
  until,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const CHEAPER = { prices: priceATask(TASK_PRICE / 2n) }

/** A sandbox in which only the first task of a share ends by itself; the others end once they are told to and `gate` is open. */
function firstOnly(gate: Promise<void> = Promise.resolve()): Sandbox {
  const sandbox = createFakeSandbox()
  const run: Sandbox['run'] = async (task, options) => {
    if (!task.id.endsWith('-0')) {
      await new Promise<void>((resolve) => {
        if (options.signal.aborted) resolve()
        options.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await gate
    }
    return sandbox.run(task, options)
  }
  return Object.create(sandbox, { run: { value: run } }) as Sandbox
}

async function submit(
  requester: Requester,
  alice: Member,
  changes: Parameters<typeof aRequest>[2] = {},
): Promise<string> {
  const request: JobRequest = await aRequest(
    alice,
    { stdout: 'x' },
    { ...changes, spec: { tasks: 4, ...changes.spec } },
  )
  return (await requester.submit(request, signal)).id
}

/** Resolves when the first task of a job has ended somewhere and another one runs. */
async function begun(requester: Requester): Promise<void> {
  let [hasEnded, runs] = [false, false]
  await until(requester.book.updates, (update) => {
    if (update?.type === 'task') {
      if (update.index === 0) hasEnded ||= update.result !== undefined
      else runs = true
    }
    return hasEnded && runs
  })
}

/** Resolves when a job is on record as one that is to end. */
async function ending(requester: Requester, id: string): Promise<void> {
  await until(
    requester.book.updates,
    async () => (await requester.book.find(id)).ending !== undefined,
  )
}

/** Resolves when all shares of a job are over: those of one that was given up end after it. */
async function sharesOver(requester: Requester, id: string): Promise<void> {
  await until(requester.book.updates, async () => {
    const shares = await requester.book.sharesOf(await requester.book.find(id))
    return shares.every(({ state }) => isFinal(state))
  })
}

const ends = ({ results }: JobRecord) => results.map((result) => result?.reason)
const sharesOf = async (requester: Requester, job: JobRecord) =>
  (await requester.book.sharesOf(job)).map((each) => [each.state, each.amount, each.error])

test('a job that is cancelled: what has ended is fetched and paid, and nothing else', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using provider = await market.provider(market.member(), {}, { sandboxes: [firstOnly()] })
  const id = await submit(requester, alice)
  await begun(requester)
  const done = await requester.cancel(id)
  assert.deepEqual([done.state, done.error?.code], ['cancelled', 'JOB_CANCELLED'])
  assert.deepEqual(ends(done), ['exit', undefined, undefined, undefined])
  assert.deepEqual(await sharesOf(requester, done), [['settled', TASK_PRICE, undefined]])
  const [stdout] = done.results.map((result) => result?.stdout.cid)
  const bytes = await alice.blobs.get(stdout ?? '', { maxBytes: 10, signal })
  assert.equal(new TextDecoder().decode(bytes), 'x')
  await claimed(market, TASK_PRICE)
  assert.deepEqual(
    (await provider.works.all()).map(({ state }) => state),
    ['settled'],
  )
  assert.deepEqual(requester.channels.all()[0]?.inFlight, {})
  assert.equal(provider.works.writtenOff(alice.signing.address), 0)
})

test('a job that is cancelled twice: what has not been delivered is given up at once, and nothing is paid', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const gate = Promise.withResolvers<void>()
  await using requester = await market.requester(alice)
  const sandboxes = [firstOnly(gate.promise)]
  await using provider = await market.provider(market.member(), {}, { sandboxes })
  const id = await submit(requester, alice)
  await begun(requester)
  const first = requester.cancel(id)
  await ending(requester, id)
  assert.equal((await requester.book.find(id)).state, 'running')
  assert.equal((await requester.cancel(id)).state, 'cancelled')
  gate.resolve()
  const done = await first
  await sharesOver(requester, id)
  assert.deepEqual([done.state, ends(done)], ['cancelled', Array.from({ length: 4 })])
  assert.deepEqual(await sharesOf(requester, done), [['cancelled', undefined, 'JOB_CANCELLED']])
  assert.equal(requester.channels.all()[0]?.cumulative, 0n)
  assert.equal(provider.earnings.all()[0]?.cumulative, 0n)
})

test('a job whose provider does not stop: it is given up after a bounded wait, and nothing is paid', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const gate = Promise.withResolvers<void>()
  const clock = new ManualClock(Date.now())
  await using requester = await market.requester(alice, { lostAfterMs: hour }, { clock })
  const sandboxes = [firstOnly(gate.promise)]
  await using _ = await market.provider(market.member(), {}, { sandboxes })
  const id = await submit(requester, alice, { bidsWanted: 1 })
  await begun(requester)
  const cancelling = requester.cancel(id)
  await ending(requester, id)
  await clock.advance(ENDING_MS - 1)
  assert.equal((await requester.book.find(id)).state, 'running')
  await clock.advance(1)
  gate.resolve()
  assert.equal((await cancelling).state, 'cancelled')
  await sharesOver(requester, id)
  const done = await requester.book.find(id)
  assert.deepEqual(await sharesOf(requester, done), [['cancelled', undefined, 'JOB_CANCELLED']])
  assert.equal(requester.channels.all()[0]?.cumulative, 0n)
})

test('a job that is cancelled and whose results cannot be fetched: nothing is paid for them', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const requests = tamperedFollow(bob.node.requests, (event) => ({ ...event, manifest: SOME_CID }))
  await using _ = await market.provider(bob, {}, { sandboxes: [firstOnly()], requests })
  const id = await submit(requester, alice)
  await begun(requester)
  const done = await requester.cancel(id)
  assert.deepEqual([done.state, ends(done)], ['cancelled', Array.from({ length: 4 })])
  assert.deepEqual(await sharesOf(requester, done), [['cancelled', undefined, 'JOB_CANCELLED']])
  assert.equal(requester.channels.all()[0]?.cumulative, 0n)
  assert.deepEqual(requester.channels.all()[0]?.inFlight, {})
})

test('a job at the end of its total time: what has ended is kept and paid', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member(), {}, { sandboxes: [firstOnly()] })
  const id = await submit(requester, alice, { timeouts: { totalMs: 1500 } })
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'JOB_TIMEOUT'])
  assert.deepEqual(done.error?.data, { totalMs: 1500 })
  assert.deepEqual(ends(done), ['exit', undefined, undefined, undefined])
  await claimed(market, TASK_PRICE)
})

test('a job that is to end is given no more time', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const gate = Promise.withResolvers<void>()
  await using requester = await market.requester(alice)
  const sandboxes = [firstOnly(gate.promise)]
  await using _ = await market.provider(market.member(), {}, { sandboxes })
  const id = await submit(requester, alice, { timeouts: { totalMs: 1000 } })
  await ending(requester, id)
  await assert.rejects(requester.extend(id, { totalMs: hour }), { code: 'JOB_OVER' })
  gate.resolve()
  assert.equal((await finished(requester, id)).error?.code, 'JOB_TIMEOUT')
})

test('a provider that is told to stop: what has ended there is paid there, the rest is done and paid elsewhere', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using bob = await market.provider(market.member(), CHEAPER, { sandboxes: [firstOnly()] })
  const id = await submit(requester, alice)
  await begun(requester)
  await using carol = await market.provider(market.member())
  await bob.drain(0, signal)
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.deepEqual(ends(done), ['exit', 'exit', 'exit', 'exit'])
  assert.deepEqual(await sharesOf(requester, done), [
    ['settled', TASK_PRICE / 2n, undefined],
    ['settled', 3n * TASK_PRICE, undefined],
  ])
  await claimed(market, TASK_PRICE / 2n + 3n * TASK_PRICE)
  assert.equal(carol.earnings.all()[0]?.cumulative, 3n * TASK_PRICE)
})

test('a provider whose time for a share is over: what has ended is paid, the rest is done elsewhere', async () => {
  const market = new TestMarket()
  const alice = market.member()
  const clock = new ManualClock(Date.now())
  await using requester = await market.requester(alice)
  const parts = { sandboxes: [firstOnly()], clock }
  await using bob = await market.provider(market.member(), CHEAPER, parts)
  const id = await submit(requester, alice, { bidsWanted: 1 })
  await begun(requester)
  await using _ = await market.provider(market.member())
  const [share] = await requester.book.sharesOf(await requester.book.find(id))
  await clock.advance((share?.finishBy ?? 0) * second - clock.now())
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.deepEqual(await sharesOf(requester, done), [
    ['settled', TASK_PRICE / 2n, undefined],
    ['settled', 3n * TASK_PRICE, undefined],
  ])
  assert.equal((await bob.works.all())[0]?.amount, TASK_PRICE / 2n)
})

test('a task that one provider cannot run is done by another one; its siblings are not done again', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using requester = await market.requester(alice)
  const cid = await alice.blobs.add(new TextEncoder().encode('only here'))
  const lacking: Blobs = {
    add: async (bytes) => bob.blobs.add(bytes),
    addBlock: async (bytes) => bob.blobs.addBlock(bytes),
    getBlock: async (...args) => bob.blobs.getBlock(...args),
    has: async (wanted) => bob.blobs.has(wanted),
    sweep: async (options) => bob.blobs.sweep(options),
    get: async (wanted, options) => {
      if (wanted === cid) throw new HiveError('CONTENT_NOT_FOUND', { cid })
      return bob.blobs.get(wanted, options)
    },
  }
  await using _bob = await market.provider(bob, CHEAPER, { blobs: lacking })
  const inputs = [0, 1, 2, 3].map((task) => ({
    name: '',
    files: task === 2 ? [{ path: '/in', cid, size: 9 }] : [],
  }))
  const request = await aRequest(alice, { sleepMs: 300 }, { spec: { inputs, tasks: 4 } })
  const { id } = await requester.submit(request, signal)
  await started(requester)
  await using _carol = await market.provider(market.member())
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  const shares = await requester.book.sharesOf(done)
  assert.deepEqual(
    shares.map(({ tasks, state, amount }) => [tasks, state, amount]),
    [
      [[0, 1, 2, 3], 'settled', (3n * TASK_PRICE) / 2n],
      [[2], 'settled', TASK_PRICE],
    ],
  )
  await claimed(market, (3n * TASK_PRICE) / 2n + TASK_PRICE)
})

test('a requester that is killed while it stops a job: its next start ends it, and pays what has ended once', async () => {
  const market = new TestMarket()
  const before = market.member()
  const gate = Promise.withResolvers<void>()
  const sandboxes = [firstOnly(gate.promise)]
  await using provider = await market.provider(market.member(), {}, { sandboxes })
  await using killed = await market.requester(before)
  const id = await submit(killed, before)
  await begun(killed)
  const cancelling = killed.cancel(id)
  await ending(killed, id)
  const after = await market.rejoinAfterKill(before)
  await using requester = await market.requester(after)
  assert.equal((await requester.book.find(id)).state, 'running')
  gate.resolve()
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['cancelled', 'JOB_CANCELLED'])
  assert.deepEqual(ends(done), ['exit', undefined, undefined, undefined])
  await claimed(market, TASK_PRICE)
  assert.equal(provider.earnings.all()[0]?.cumulative, TASK_PRICE)
  assert.deepEqual(requester.channels.all()[0]?.inFlight, {})
  await killed[Symbol.asyncDispose]()
  await cancelling
})
