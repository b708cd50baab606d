import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { hour, second } from '../../../node/domain/units.ts'
import type { JobExtension } from '../../../node/services/requester/extending.ts'
import {
  aRequest,
  finished,
  started,
  TASK_PRICE,
  TestMarket,
  until,
} from '../../support/test-market.ts'

const { signal } = new AbortController()

/** What an extension of a job is refused with. */
async function refusal(extending: Promise<unknown>): Promise<unknown[]> {
  try {
    await extending
  } catch (error) {
    assert.ok(error instanceof HiveError)
    return [error.code, error.data['fields'] ?? error.data['problems'] ?? error.data['state']]
  }
  return ['done']
}

test('extend: a job goes on beyond the total time that it was submitted with', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const timeouts = { totalMs: 900 }
  const { id } = await requester.submit(
    await aRequest(alice, { sleepMs: 1500 }, { timeouts }),
    signal,
  )
  await started(requester)
  await requester.extend(id.slice(0, 12), { totalMs: hour })
  const done = await finished(requester, id)
  assert.equal(done.state, 'settled')
  assert.ok((done.finishedAt ?? 0) - done.createdAt >= 1500)
})

test('extend: a job that waits for a provider waits longer, and pays more from the next offer on', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const changes = { maxPrice: TASK_PRICE / 2n, timeouts: { queueMs: 1500 }, bidWindowMs: 300 }
  const { id } = await requester.submit(await aRequest(alice, {}, changes), signal)
  await until(
    requester.book.updates,
    async () => (await requester.book.get(id)).answers !== undefined,
  )
  const extended = await requester.extend(id, { maxPrice: TASK_PRICE, queueMs: 30 * second })
  assert.deepEqual(
    [extended.request.maxPrice, extended.request.timeouts],
    [TASK_PRICE, { queueMs: 30 * second }],
  )
  assert.equal((await finished(requester, id)).state, 'settled')
})

test('extend: what is agreed is fixed, what would take away is refused, what is over is over', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const timeouts = { totalMs: hour }
  const { id } = await requester.submit(await aRequest(alice, { spin: true }, { timeouts }), signal)
  await started(requester)
  const refused = async (extension: JobExtension) => refusal(requester.extend(id, extension))
  const { request } = await requester.book.get(id)
  assert.deepEqual(await refused({ timeoutMs: hour }), ['AGREEMENT_FIXED', ['timeout']])
  assert.deepEqual(await refused({ maxPrice: 2n * request.maxPrice, attempts: 9 }), [
    'AGREEMENT_FIXED',
    ['maxPrice'],
  ])
  assert.deepEqual(await refused({ totalMs: hour - 1, queueMs: hour, attempts: 1 }), [
    'INPUT_INVALID',
    [
      'timeouts.queue: cannot be shorter than before, which is no limit',
      'timeouts.total: cannot be shorter than before',
      'attempts: cannot be fewer than before',
    ],
  ])
  assert.deepEqual((await requester.book.get(id)).request, request)
  assert.deepEqual(await refused({ attempts: 9 }), ['done'])
  await requester.cancel(id)
  assert.deepEqual(await refused({ attempts: 10 }), ['JOB_OVER', 'cancelled'])
})

test('extend: more attempts count for a job that is under way', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using requester = await market.requester(alice)
  await using _ = await market.provider(market.member())
  const retry = {
    on: [75],
    backOff: { firstMs: 400, factor: 1, mostMs: 400 },
    elsewhere: false,
  }
  const { id } = await requester.submit(
    await aRequest(alice, { exit: 75 }, { retry, attempts: 2 }),
    signal,
  )
  await until(
    requester.book.updates,
    async () => (await requester.book.get(id)).again !== undefined,
  )
  await requester.extend(id, { attempts: 4 })
  const done = await finished(requester, id)
  assert.deepEqual([done.shares.length, done.results[0]?.exitCode], [4, 75])
})
