import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import type { RetryPolicy } from '../../../node/domain/retry-policy.ts'
import { hour, second } from '../../../node/domain/units.ts'
import type { Clock } from '../../../node/ports/clock.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import {
  aRequest,
  claimed,
  finished,
  started,
  TASK_PRICE,
  TestMarket,
  until,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const AT_ONCE = { firstMs: 0, factor: 1, mostMs: 0 }
const on = (...ends: RetryPolicy['on']): RetryPolicy => ({
  on: ends,
  backOff: AT_ONCE,
  elsewhere: true,
})

/** A sandbox whose runs end with these exit codes, one after the other, and then as the script says. */
function exiting(codes: number[]): Sandbox {
  const sandbox = createFakeSandbox()
  return {
    ...sandbox,
    run: async (task, options) => {
      const exitCode = codes.shift()
      const result = await sandbox.run(task, options)
      return exitCode === undefined ? result : { ...result, exitCode }
    },
  }
}

/** A requester, and providers that share one list of exit codes. */
async function aMarket(codes: number[], providers = 1, clock: Clock = systemClock) {
  const market = new TestMarket()
  const alice = market.member()
  const stack = new AsyncDisposableStack()
  const requester = stack.use(await market.requester(alice, {}, { clock }))
  for (let at = 0; at < providers; at++)
    stack.use(await market.provider(market.member(), {}, { sandboxes: [exiting(codes)] }))
  return {
    market,
    alice,
    requester,
    run: async (retry: RetryPolicy, attempts: number) => {
      const request = await aRequest(
        alice,
        { stdout: 'x' },
        { retry, attempts, bidWindowMs: second },
      )
      return finished(requester, (await requester.submit(request, signal)).id)
    },
    [Symbol.asyncDispose]: async () => stack.disposeAsync(),
  }
}

/** A clock on which long pauses pass at once, noted in the list. */
function hasteClock(pauses: number[]): Clock {
  return {
    now: () => systemClock.now() + pauses.reduce((a, b) => a + b, 0),
    sleep: async (ms, stop) => {
      if (ms < hour / 2) return systemClock.sleep(ms, stop)
      pauses.push(ms)
    },
  }
}

test('an exit code of the policy: the task runs again elsewhere, and both runs are paid', async () => {
  await using it = await aMarket([75], 2)
  const done = await it.run(on(75), 2)
  assert.deepEqual([done.state, done.results[0]?.exitCode, done.again], ['settled', 0, undefined])
  const shares = await it.requester.book.sharesOf(done)
  assert.equal(new Set(shares.map(({ provider }) => provider)).size, 2)
  assert.deepEqual(
    shares.map(({ attempt, amount }) => [attempt, amount]),
    [
      [1, TASK_PRICE],
      [2, TASK_PRICE],
    ],
  )
  await claimed(it.market, 2n * TASK_PRICE)
})

test('an exit code that the policy does not name is a result, as is any without a policy', async () => {
  await using it = await aMarket([74], 2)
  const done = await it.run(on(75, 'timeout'), 5)
  assert.deepEqual([done.shares.length, done.results[0]?.exitCode], [1, 74])
})

test('nonzero names every exit code but 0', async () => {
  await using it = await aMarket([1, 99], 3)
  const done = await it.run(on('nonzero'), 3)
  assert.deepEqual([done.shares.length, done.results[0]?.exitCode], [3, 0])
})

test('the last attempt ends with the code too: that is the result', async () => {
  await using it = await aMarket([75, 75, 75], 3)
  const done = await it.run(on(75), 2)
  assert.deepEqual([done.state, done.shares.length, done.results[0]?.exitCode], ['settled', 2, 75])
})

test('nobody else is there to run it again: how it ended is the result, and the job does not fail', async () => {
  await using it = await aMarket([75])
  const done = await it.run(on(75), 3)
  assert.deepEqual([done.state, done.shares.length, done.results[0]?.exitCode], ['settled', 1, 75])
})

test('with elsewhere off the same provider may run it again', async () => {
  await using it = await aMarket([75, 75])
  const done = await it.run({ ...on(75), elsewhere: false }, 3)
  assert.deepEqual([done.shares.length, done.results[0]?.exitCode], [3, 0])
})

test('the pause before a run is taken on the clock of the node', async () => {
  const pauses: number[] = []
  await using it = await aMarket([75, 75, 75], 1, hasteClock(pauses))
  const backOff = { firstMs: hour, factor: 1, mostMs: hour }
  const request = await aRequest(
    it.alice,
    {},
    { retry: { on: [75], backOff, elsewhere: false }, attempts: 2, bidWindowMs: 300 },
  )
  await finished(it.requester, (await it.requester.submit(request, signal)).id)
  // The provider's clock does not hurry: after the first pause its bids are of the past.
  assert.ok((pauses[0] ?? 0) > hour - second && (pauses[0] ?? 0) <= hour, `${pauses.join(' ')}`)
})

test('a policy without lost: a provider that is gone ends the job at once', async () => {
  await using it = await aMarket([])
  const carol = it.market.member()
  const request = await aRequest(it.alice, { sleepMs: 400 }, { retry: on(75), attempts: 3 })
  const { id } = await it.requester.submit(request, signal)
  await started(it.requester)
  await using _ = await it.market.provider(carol)
  const [share] = await it.requester.book.sharesOf(await it.requester.book.get(id))
  it.market.net.leave(share?.peer ?? '')
  const done = await finished(it.requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'NO_PROVIDER_LEFT'])
  assert.equal(done.shares.length, 1)
})

test('a node that is killed in the pause keeps the count, and how the task ended', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _bob = await market.provider(
    market.member(),
    {},
    { sandboxes: [exiting([75, 75, 75])] },
  )
  const retry = {
    on: [75],
    backOff: { firstMs: second, factor: 1, mostMs: second },
    elsewhere: false,
  }
  const request = await aRequest(alice, {}, { retry, attempts: 2, bidWindowMs: second })
  await using first = await market.requester(alice)
  const { id } = await first.submit(request, signal)
  await until(first.book.updates, async () => (await first.book.get(id)).again !== undefined)
  const again = await market.rejoinAfterKill(alice)
  await using second_ = await market.requester(again)
  const kept = await second_.book.get(id)
  assert.deepEqual(
    kept.again?.map(({ task, runs, last }) => [task, runs, last?.exitCode]),
    [[0, 1, 75]],
  )
  const done = await finished(second_, id)
  assert.deepEqual([done.state, done.shares.length, done.results[0]?.exitCode], ['settled', 2, 75])
  assert.ok((done.finishedAt ?? 0) >= (kept.again?.[0]?.notBefore ?? Infinity))
  await claimed(market, 2n * TASK_PRICE)
})

test('cancelled in the pause: how the task ended is kept as its result', async () => {
  await using it = await aMarket([75])
  const backOff = { firstMs: hour, factor: 1, mostMs: hour }
  const retry = { ...on(75), backOff }
  const { id } = await it.requester.submit(await aRequest(it.alice, {}, { retry }), signal)
  await until(
    it.requester.book.updates,
    async () => (await it.requester.book.get(id)).again !== undefined,
  )
  const done = await it.requester.cancel(id)
  assert.deepEqual(
    [done.state, done.results[0]?.exitCode, done.again],
    ['cancelled', 75, undefined],
  )
})
