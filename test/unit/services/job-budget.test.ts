import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { second } from '../../../node/domain/units.ts'
import { whyView } from '../../../node/api/views/why-view.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
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

/** What was paid for a job. */
async function paidFor(requester: Requester, id: string): Promise<bigint> {
  const shares = await requester.book.sharesOf(await requester.book.find(id))
  return shares.reduce((sum, { amount = 0n }) => sum + amount, 0n)
}

test('budget of a job: as many tasks as it pays for are run, and the others say why not', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const request = await aRequest(alice, {}, { budget: 3n * TASK_PRICE, spec: { tasks: 5 } })
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'JOB_BUDGET'])
  assert.equal(done.results.filter((result) => result !== null).length, 3)
  assert.deepEqual(whyView(done).answers.at(-1)?.unplaced, { code: 'JOB_BUDGET', tasks: 2 })
  assert.equal(await paidFor(requester, id), 3n * TASK_PRICE)
  await claimed(market, 3n * TASK_PRICE)
})

test('budget of a job: runs that are paid again count, so it is not exceeded by retries', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const retry = { on: [75], backOff: { firstMs: 0, factor: 1, mostMs: 0 }, elsewhere: false }
  const request = await aRequest(
    alice,
    { exit: 75 },
    { retry, attempts: 9, budget: 3n * TASK_PRICE },
  )
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  // Nobody pays for a fourth run, so how the third one ended is the result.
  assert.deepEqual([done.shares.length, done.results[0]?.exitCode], [3, 75])
  assert.equal(done.answers?.at(-1)?.unplaced?.code, 'JOB_BUDGET')
  assert.equal(await paidFor(requester, id), 3n * TASK_PRICE)
})

test('budget of a job: raised while tasks wait, they are placed, and it cannot be lowered or set where there was none', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const timeouts = { queueMs: 20 * second }
  const request = await aRequest(alice, {}, { budget: TASK_PRICE, timeouts, spec: { tasks: 2 } })
  const { id } = await requester.submit(request, signal)
  await until(
    requester.book.updates,
    async () => (await requester.book.get(id)).answers?.at(-1)?.unplaced !== undefined,
  )
  await assert.rejects(requester.extend(id, { budget: TASK_PRICE - 1n }), {
    code: 'INPUT_INVALID',
    data: { problems: ['budget: cannot be lower than before'] },
  })
  await requester.extend(id, { budget: 2n * TASK_PRICE })
  assert.equal((await finished(requester, id)).state, 'settled')
  const other = await requester.submit(await aRequest(alice, { spin: true }), signal)
  await assert.rejects(requester.extend(other.id, { budget: 1n }), {
    data: { problems: ['budget: cannot be lower than before, which is no limit'] },
  })
  await requester.cancel(other.id)
})

test('budget of a job: it is what the deposit has to hold, where it is less than all tasks could cost', async () => {
  const market = new TestMarket()
  const alice = market.member()
  market.chain.fund(alice.signing.address, 4n * TASK_PRICE)
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const request = await aRequest(alice, {}, { spec: { tasks: 4 } })
  await assert.rejects(requester.submit(request, signal), { code: 'INSUFFICIENT_DEPOSIT' })
  const { id } = await requester.submit({ ...request, budget: 4n * TASK_PRICE }, signal)
  assert.equal((await finished(requester, id)).state, 'settled')
})

test('total time: a program whose pace is known is not begun where it could not end in time', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member(), {
    resources: { cpuMillis: 1000, memoryBytes: 2 ** 31, diskBytes: 2 ** 31 },
  })
  const script = { sleepMs: 400 }
  const first = await requester.submit(await aRequest(alice, script), signal)
  await finished(requester, first.id)
  const request = await aRequest(alice, script, {
    timeouts: { totalMs: 2 * second },
    spec: { tasks: 100 },
  })
  const { id } = await requester.submit(request, signal)
  const done = await finished(requester, id)
  assert.deepEqual([done.state, done.error?.code], ['failed', 'JOB_DEADLINE'])
  const ended = done.results.filter((result) => result !== null).length
  assert.ok(ended >= 1 && ended <= 4, `${ended} ended`)
  assert.equal(done.answers?.at(-1)?.unplaced?.code, 'JOB_DEADLINE')
  assert.equal(await paidFor(requester, id), BigInt(ended) * TASK_PRICE)
  const quote = await requester.quoting.quote(request, signal)
  assert.deepEqual(quote.answers.unplaced, { code: 'JOB_DEADLINE', tasks: 100 - quote.placed })
})

test('limits of the wallet: one job, one day and what is unpaid at a time are held, over a restart too', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _ = await market.provider(market.member())
  const run = async (requester: Requester, tasks: number) => {
    const { id } = await requester.submit(await aRequest(alice, {}, { spec: { tasks } }), signal)
    const done = await finished(requester, id)
    const ended = done.results.filter((result) => result !== null).length
    return [done.error?.code, ended, done.answers?.at(-1)?.unplaced?.code]
  }
  const limits = { perJob: 3n * TASK_PRICE, perDay: 5n * TASK_PRICE }
  {
    await using requester = await market.requester(alice, { limits })
    assert.deepEqual(await run(requester, 4), ['SPENDING_LIMIT', 3, 'SPENDING_LIMIT'])
    assert.equal(requester.channels.spent.today, 3n * TASK_PRICE)
  }
  {
    await using requester = await market.requester(market.rejoin(alice), { limits })
    assert.equal(requester.channels.spent.today, 3n * TASK_PRICE)
    assert.deepEqual(await run(requester, 3), ['SPENDING_LIMIT', 2, 'SPENDING_LIMIT'])
    assert.deepEqual(await run(requester, 1), ['SPENDING_LIMIT', 0, 'SPENDING_LIMIT'])
  }
  const outstanding = { outstanding: 2n * TASK_PRICE }
  await using requester = await market.requester(market.rejoin(alice), { limits: outstanding })
  const request = await aRequest(alice, { spin: true }, { spec: { tasks: 2 } })
  const { id } = await requester.submit(request, signal)
  await started(requester)
  assert.equal(requester.channels.spent.outstanding, 2n * TASK_PRICE)
  assert.deepEqual(await run(requester, 1), ['SPENDING_LIMIT', 0, 'SPENDING_LIMIT'])
  await requester.cancel(id)
  const patient = { timeouts: { queueMs: 10 * second } }
  const next = await requester.submit(await aRequest(alice, {}, patient), signal)
  assert.equal((await finished(requester, next.id)).state, 'settled')
})

test('a refusal by a limit says which one, how much it allows and what is needed', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice, { limits: { perJob: 5n } })
  const { spent } = requester.channels
  const job = `0x${'1'.repeat(64)}` as const
  await assert.rejects(spent.leave({ job, price: 6n }), (error: unknown) => {
    assert.ok(error instanceof HiveError)
    assert.equal(error.code, 'SPENDING_LIMIT')
    assert.deepEqual(error.data, { limit: 'perJob', most: 5n, spent: 0n, needed: 6n })
    return true
  })
})
