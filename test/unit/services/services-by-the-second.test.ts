import assert from 'node:assert/strict'
import { test } from 'node:test'
import { second } from '../../../node/domain/units.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import { createFakeSandbox, FakeMachine } from '../../support/fake-sandbox.ts'
import { through, type EventChange } from '../../support/through.ts'
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

/** The ports of a requester whose vouchers are signed and never leave it. */
function withoutVouchers(requests: Requests, onVoucher: () => void = () => {}): Requests {
  return {
    call: async (peer, protocol, bytes, options) => {
      if (protocol !== 'voucher') return requests.call(peer, protocol, bytes, options)
      onVoucher()
      return new Promise<never>((_, reject) => {
        const leave = () => reject(options.signal.reason as Error)
        options.signal.addEventListener('abort', leave, { once: true })
      })
    },
    stream: (...args) => requests.stream(...args),
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
  }
}

/** A service at a provider whose events are changed; resolves with its end. */
async function serviceThrough(change: (bob: Member) => EventChange, isStopped = false) {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const requests = through(bob.node.requests, change(bob))
  await using _provider = await market.provider(bob, { prices: PRICES }, { requests })
  await using requester = await market.requester(alice)
  const { id } = await requester.submit(await aService(alice), signal)
  if (isStopped) {
    await paid(requester, 2n * RATE)
    await requester.stop(id)
  }
  const job = await finished(requester, id)
  const [share] = await requester.book.sharesOf(job)
  return { job, share, left: requester.channels.all().map(({ inFlight }) => inFlight) }
}

test('a service whose heartbeats stop while its line goes on: nothing more is paid, and it is lost', async () => {
  let heard = 0
  const { share, left } = await serviceThrough(() => (event) => {
    // nor its last word, which would come about when it counts as lost: it stops for want of vouchers
    const isLate = event.type === 'receipt' || (event.type === 'heartbeat' && ++heard > 1)
    return isLate ? [] : [event]
  })
  assert.deepEqual([share?.state, share?.error, share?.amount], ['failed', 'PROVIDER_LOST', RATE])
  assert.deepEqual(left, [{}])
})

test('a heartbeat that overtakes the next one is refused with its code, and not paid', async () => {
  const { share } = await serviceThrough((bob) => (event) => {
    if (event.type !== 'heartbeat') return [event]
    const { message } = bob.signing.open('Heartbeat', event.heartbeat)
    const [seq, elapsedMs] = [message.seq + 1, message.elapsedMs + second]
    const heartbeat = bob.signing.seal('Heartbeat', { ...message, seq, elapsedMs }).bytes
    return [{ type: 'heartbeat', heartbeat }]
  })
  assert.deepEqual([share?.error, share?.amount], ['HEARTBEAT_INVALID', undefined])
})

test('a heartbeat of another key is refused with its code, and not paid', async () => {
  const stranger = new TestMarket()
  const others = [stranger.member(), stranger.member(), stranger.member()]
  const { share } = await serviceThrough((bob) => (event) => {
    if (event.type !== 'heartbeat') return [event]
    const { message } = bob.signing.open('Heartbeat', event.heartbeat)
    const heartbeat = others.at(-1)?.signing.seal('Heartbeat', message).bytes ?? new Uint8Array()
    return [{ type: 'heartbeat', heartbeat }]
  })
  assert.deepEqual([share?.error, share?.amount], ['SIGNATURE_INVALID', undefined])
})

test('heartbeats that come again are passed over: each interval is paid once', async () => {
  const { job, share } = await serviceThrough(
    () => (event) => (event.type === 'heartbeat' ? [event, event] : [event]),
    true,
  )
  assert.equal(job.results[0]?.reason, 'stopped')
  const seconds = BigInt(Math.floor((job.results[0]?.usage.wallMs ?? 0) / second))
  assert.ok((share?.amount ?? 0n) <= seconds * RATE)
})

test('a requester gone between signing a voucher and sending it: brought after the restart, paid once', async () => {
  const market = new TestMarket()
  let alice = market.member()
  const bob = market.member()
  await using provider = await market.provider(bob, { prices: PRICES, claimAfterIdleMs: 300 })
  const held = Promise.withResolvers<void>()
  const mute = withoutVouchers(alice.node.requests, () => held.resolve())
  const before = await market.requester(alice, {}, { requests: mute })
  const { id } = await before.submit(await aService(alice), signal)
  await held.promise
  alice = await market.rejoinAfterKill(alice)
  await using requester = await market.requester(alice)
  await paid(requester, 3n * RATE)
  await requester.stop(id)
  const job = await finished(requester, id)
  assert.deepEqual([job.state, job.results[0]?.reason], ['settled', 'stopped'])
  const total = await paidOf(requester, id)
  await claimed(market, total)
  assert.deepEqual(await states(provider), ['settled'])
  assert.deepEqual(
    requester.channels.all().map(({ inFlight }) => inFlight),
    [{}],
  )
})

test('a provider killed during a service that runs on: taken up again, its silence is not paid', async () => {
  const market = new TestMarket()
  const alice = market.member()
  let bob = market.member()
  const machine = new FakeMachine()
  const options = { prices: PRICES, claimAfterIdleMs: 300 }
  const sandboxes = () => ({ sandboxes: [createFakeSandbox('wasm', machine)] })
  const first = await market.provider(bob, options, sandboxes())
  await using requester = await market.requester(alice, { lostAfterMs: 10 * second })
  const { id } = await requester.submit(await aService(alice), signal)
  await paid(requester, RATE)
  machine.crash()
  bob = await market.rejoinAfterKill(bob)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await using provider = await market.provider(bob, options, sandboxes())
  const before = await paidOf(requester, id)
  await paid(requester, before + RATE)
  await requester.stop(id)
  const job = await finished(requester, id)
  assert.deepEqual([job.state, job.shares.length], ['settled', 1])
  const total = await paidOf(requester, id)
  const ranMs = job.results[0]?.usage.wallMs ?? 0
  assert.ok(
    total <= BigInt(Math.floor((ranMs - second) / second)) * RATE,
    `${total} of ${ranMs} ms`,
  )
  await claimed(market, total)
  assert.deepEqual(await states(provider), ['settled'])
  await first[Symbol.asyncDispose]()
})

test('a service given up while its provider was gone: the provider ends it when it is back and hears so', async () => {
  const market = new TestMarket()
  const alice = market.member()
  let bob = market.member()
  const machine = new FakeMachine()
  const sandboxes = () => ({ sandboxes: [createFakeSandbox('wasm', machine)] })
  const first = await market.provider(bob, { prices: PRICES }, sandboxes())
  await using requester = await market.requester(alice)
  const { id } = await requester.submit(await aService(alice), signal)
  await paid(requester, RATE)
  machine.crash()
  bob = await market.rejoinAfterKill(bob)
  assert.equal((await finished(requester, id)).state, 'failed')
  await using provider = await market.provider(bob, { prices: PRICES }, sandboxes())
  const givenUp = () => requester.channels.all().flatMap((channel) => channel.givenUp)
  while (givenUp().length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(await states(provider), ['cancelled'])
  assert.equal(machine.running.size, 0)
  await first[Symbol.asyncDispose]()
})

test('a requester that takes the heartbeats and never pays: stopped within an interval, with one unpaid', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using provider = await market.provider(bob, { prices: PRICES })
  const mute = withoutVouchers(alice.node.requests)
  await using requester = await market.requester(alice, {}, { requests: mute })
  const { id } = await requester.submit(await aService(alice), signal)
  const job = await finished(requester, id)
  assert.equal(job.results[0]?.detail, 'not paid any more')
  const ranMs = job.results[0]?.usage.wallMs ?? 0
  assert.ok(ranMs < 3 * second, `${ranMs} ms`)
  const owed = provider.works.unpaidBy(alice.signing.address, 10n ** 18n)
  assert.equal(owed, RATE)
})

for (const [what, limits, budget, code] of [
  ['a budget of its own', {}, 3n * RATE + 1n, 'JOB_BUDGET'],
  ['a limit of the wallet for a job', { perJob: 3n * RATE + 1n }, undefined, 'SPENDING_LIMIT'],
] as const)
  test(`a service under ${what}: it runs for as long as that pays, says so, and is never paid more`, async () => {
    const market = new TestMarket()
    const [alice, bob] = [market.member(), market.member()]
    await using _ = await market.provider(bob, { prices: PRICES, claimAfterIdleMs: 300 })
    await using requester = await market.requester(alice, { limits })
    const request = { ...(await aService(alice)), ...(budget !== undefined && { budget }) }
    const { id } = await requester.submit(request, signal)
    const done = await finished(requester, id)
    assert.deepEqual([done.state, done.results[0]?.reason], ['settled', 'stopped'])
    const [share] = await requester.book.sharesOf(done)
    assert.deepEqual([share?.error, await paidOf(requester, id)], [code, 3n * RATE])
    await claimed(market, 3n * RATE)
  })

test('a service whose budget is used up goes on when it is raised in time', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using _ = await market.provider(bob, { prices: PRICES, claimAfterIdleMs: 300 })
  await using requester = await market.requester(alice)
  const budget = 2n * RATE
  const { id } = await requester.submit({ ...(await aService(alice)), budget }, signal)
  const noted = (error: string | undefined) =>
    until(
      requester.book.updates,
      (update) =>
        update?.type === 'share' &&
        update.share.error === error &&
        update.share.meter?.agreed.length !== 0,
    )
  await noted('JOB_BUDGET')
  await requester.extend(id, { budget: 5n * RATE })
  await paid(requester, 4n * RATE)
  await requester.stop(id)
  assert.equal((await finished(requester, id)).state, 'settled')
  assert.ok((await paidOf(requester, id)) <= 5n * RATE)
})

test('a service at the end of its job’s total time, or cancelled, is given up: what has run is paid, and no result is kept', async () => {
  const market = new TestMarket()
  const alice = market.member()
  await using provider = await market.provider(market.member(), { prices: PRICES })
  await using requester = await market.requester(alice)
  const late = { ...(await aService(alice)), timeouts: { totalMs: 2500 } }
  const { id } = await requester.submit(late, signal)
  await paid(requester, RATE)
  const job = await finished(requester, id)
  assert.deepEqual([job.state, job.error?.code, job.results], ['failed', 'JOB_TIMEOUT', [null]])
  const next = await requester.submit(await aService(alice), signal)
  await paid(requester, RATE)
  const cancelled = await requester.cancel(next.id)
  assert.deepEqual([cancelled.state, cancelled.results], ['cancelled', [null]])
  assert.equal((await provider.works.all()).length, 2)
})
