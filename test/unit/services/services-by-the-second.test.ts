import assert from 'node:assert/strict'
import { test } from 'node:test'
import { second } from '../../../node/domain/units.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import {
  aRequest,
  claimed,
  finished,
  TestMarket,
  until,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
/** What a second of a test service costs. */
const RATE = 7n
const PRICES = { perTask: 0n, perCoreSecond: RATE, perGpuSecond: 0n, reservedSecondsCap: 60 }

async function aService(member: Member, timeoutMs = 60 * second) {
  const spec = { service: { payEveryMs: second }, timeoutMs }
  return aRequest(
    member,
    { stdout: 'up\n', spin: true },
    { maxPrice: 10n * RATE, attempts: 1, spec },
  )
}

/** Resolves when the job's share has been paid `amount` or more. */
async function paid(requester: Requester, amount: bigint): Promise<void> {
  await until(
    requester.book.updates,
    (update) => update?.type === 'share' && (update.share.amount ?? 0n) >= amount,
  )
}

async function paidOf(requester: Requester, id: string): Promise<bigint> {
  const shares = await requester.book.sharesOf(await requester.book.find(id))
  return shares.reduce((sum, { amount = 0n }) => sum + amount, 0n)
}

async function states(provider: Provider): Promise<string[]> {
  return (await provider.works.all()).map(({ state }) => state)
}

test('a service: paid as it runs, stopped with its output, exactly the told seconds claimed', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using provider = await market.provider(bob, { prices: PRICES, claimAfterIdleMs: 300 })
  await using requester = await market.requester(alice)
  const { id } = await requester.submit(await aService(alice), signal)
  await paid(requester, 2n * RATE)
  await requester.stop(id)
  const job = await finished(requester, id)
  assert.equal(job.state, 'settled')
  assert.equal(job.results[0]?.reason, 'stopped')
  assert.equal(job.results[0]?.stdout.size, 3)
  const total = await paidOf(requester, id)
  const seconds = BigInt(Math.floor((job.results[0]?.usage.wallMs ?? 0) / second))
  assert.ok(
    total === seconds * RATE || total === (seconds - 1n) * RATE,
    `${total} for ${seconds} s`,
  )
  await claimed(market, total)
  assert.deepEqual(await states(provider), ['settled'])
  assert.equal(provider.works.owedOn(job.id), 0n)
  assert.deepEqual(
    requester.channels.all().map(({ inFlight }) => inFlight),
    [{}],
  )
})
