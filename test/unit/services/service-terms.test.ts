import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { hour, second } from '../../../node/domain/units.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import { aRequest, finished, TestMarket, until, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
/** What a second of a test service costs. */
const RATE = 7n
const PRICES = { perTask: 0n, perCoreSecond: RATE, perGpuSecond: 0n, reservedSecondsCap: 60 }

async function aService(member: Member, timeoutMs: number, attempts = 1) {
  const spec = { service: { payEveryMs: second }, timeoutMs }
  return aRequest(member, { spin: true }, { maxPrice: 10n * RATE, attempts, spec })
}

/** Resolves once a share of the job has been paid `amount` or more. */
async function paid(requester: Requester, amount: bigint): Promise<void> {
  await until(
    requester.book.updates,
    (update) => update?.type === 'share' && (update.share.amount ?? 0n) >= amount,
  )
}

async function refusal(extending: Promise<unknown>): Promise<unknown[]> {
  try {
    await extending
  } catch (error) {
    assert.ok(error instanceof HiveError)
    return [error.code, error.data['fields'] ?? error.data['problems']]
  }
  return ['done']
}

test('a service whose time is extended runs on at its provider, and ends when the new time is over', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _ = await market.provider(market.member(), { prices: PRICES })
  await using requester = await market.requester(alice)
  const { id } = await requester.submit(await aService(alice, 3 * second), signal)
  await paid(requester, RATE)
  const before = (await requester.book.sharesOf(await requester.book.get(id)))[0]
  await requester.extend(id, { timeoutMs: 5 * second })
  const done = await finished(requester, id)
  const [share, ...others] = await requester.book.sharesOf(done)
  const [result] = done.results
  assert.deepEqual([done.state, result?.reason, others], ['settled', 'stopped', []])
  const ranMs = result?.usage.wallMs ?? 0
  assert.ok(ranMs >= 4.9 * second && ranMs < 6.5 * second, `${ranMs} ms`)
  assert.equal(share?.amount, 5n * RATE)
  assert.equal(share?.finishBy, (before?.finishBy ?? 0) + 2)
})

test('the time of a service is not made shorter or endless, nor extended when its provider would hear it too late', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using _ = await market.provider(market.member(), { prices: PRICES })
  await using requester = await market.requester(alice)
  const { id } = await requester.submit(await aService(alice, 4 * second), signal)
  await paid(requester, RATE)
  const refused = async (timeoutMs: number) => refusal(requester.extend(id, { timeoutMs }))
  assert.deepEqual(await refused(3 * second), [
    'INPUT_INVALID',
    ['timeout: cannot be shorter than before'],
  ])
  assert.deepEqual(await refused(25 * hour), ['INPUT_INVALID', ['timeout: at most 24 h']])
  await paid(requester, 3n * RATE)
  assert.deepEqual(await refused(hour), ['AGREEMENT_FIXED', ['timeout']])
  const done = await finished(requester, id)
  assert.equal(done.results[0]?.detail, 'its time is over')
})

test('a service whose provider falls silent is begun elsewhere, for what is left of its time', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const cheaper = { ...PRICES, perCoreSecond: RATE - 1n }
  await using _bobs = await market.provider(bob, { prices: cheaper })
  await using _carols = await market.provider(market.member(), { prices: PRICES })
  await using requester = await market.requester(alice)
  const { id } = await requester.submit(await aService(alice, 5 * second, 2), signal)
  await paid(requester, 3n * cheaper.perCoreSecond)
  market.net.leave(bob.signing.peer)
  const done = await finished(requester, id)
  const [first, next] = await requester.book.sharesOf(done)
  assert.deepEqual(
    [first?.provider, first?.error, next?.state],
    [bob.signing.address, 'PROVIDER_LOST', 'settled'],
  )
  assert.deepEqual([done.state, done.results[0]?.reason], ['settled', 'stopped'])
  const left = 5 * second - (first?.meter?.elapsedMs ?? 0)
  assert.equal(
    next?.meter?.elapsedMs === undefined ? 0 : Math.floor(next.meter.elapsedMs / second),
    left / second,
  )
})
