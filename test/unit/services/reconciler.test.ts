import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Escrow } from '../../../node/ports/escrow.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { Reconciler } from '../../../node/services/reconciler.ts'
import { ChannelLedger } from '../../../node/services/requester/channel-ledger.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { claimed, oneJob, TASK_PRICE, TestMarket, TOKEN } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A requester and a provider that have a channel, and a reconciler of each. */
async function open() {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const requester = await market.requester(alice)
  const provider = await market.provider(bob)
  const run = async () => oneJob(requester, alice, signal)
  await run()
  await claimed(market, TASK_PRICE)
  const clock = new ManualClock(Date.now())
  const idle = await market.requester(market.member())
  const parts = { ...market.parts(alice), clock, channels: requester.channels, earnings: undefined }
  const alices = new Reconciler(parts)
  const bobs = new Reconciler({ ...parts, channels: idle.channels, earnings: provider.earnings })
  const escrow = market.chain.as(alice.signing.address)
  const [channel] = requester.channels.all()
  assert.ok(channel)
  return {
    market,
    alices,
    bobs,
    clock,
    requester,
    provider,
    escrow,
    parts,
    run,
    id: channel.id,
    [Symbol.asyncDispose]: async () => {
      for (const each of [requester, provider, idle, alices, bobs])
        await each[Symbol.asyncDispose]()
    },
  }
}

test('nothing differs: nothing is done', async () => {
  await using on = await open()
  assert.equal(await on.alices.pass(signal), 0)
  await on.bobs.pass(signal) // the claim may still be on its way into the record
  assert.equal(await on.bobs.pass(signal), 0)
})

test('a top-up that only the chain knows is taken over by both sides', async () => {
  await using on = await open()
  await on.bobs.pass(signal)
  const drift = on.bobs.drift
  await on.escrow.topUp({ channel: on.id, from: TOKEN, amount: 7n }, { signal })
  assert.deepEqual([await on.alices.pass(signal), await on.bobs.pass(signal)], [1, 1])
  assert.equal(on.requester.channels.all()[0]?.deposit, TOKEN + 7n)
  assert.equal(on.provider.earnings.get(on.id)?.deposit, TOKEN + 7n)
  assert.deepEqual([await on.alices.pass(signal), await on.bobs.pass(signal)], [0, 0])
  assert.deepEqual([on.alices.drift, on.bobs.drift - drift], [1, 1])
})

test('a channel that is closing is not used any more: the next job opens another', async () => {
  await using on = await open()
  await on.escrow.startClose(on.id, { signal })
  assert.equal(await on.alices.pass(signal), 1)
  const listed = () => on.requester.channels.all().map(({ id, status }) => [id === on.id, status])
  assert.deepEqual(listed(), [[true, 'closing']])
  assert.equal((await on.run()).state, 'settled')
  assert.deepEqual(listed(), [
    [true, 'closing'],
    [false, 'open'],
  ])
  await claimed(on.market, 2n * TASK_PRICE)
})

test('a claim that a reorganised chain forgot is sent again', async () => {
  await using on = await open()
  await on.bobs.pass(signal)
  const channel = on.market.chain.channels.get(on.id)
  assert.ok(channel)
  on.market.chain.channels.set(on.id, { ...channel, settled: 0n })
  assert.equal(await on.bobs.pass(signal), 1)
  await claimed(on.market, 2n * TASK_PRICE)
  assert.equal(on.market.chain.channels.get(on.id)?.settled, TASK_PRICE)
})

test('an endpoint that answers nonsense, or serves another chain, says nothing about a difference', async () => {
  await using on = await open()
  for (const code of ['CHAIN_ANSWER_INVALID', 'CHAIN_WRONG', 'CHAIN_NO_CONTRACT'] as const) {
    const says = async () => Promise.reject(new HiveError(code))
    const escrow = Object.assign(on.market.chain.as(on.parts.signing.address), {
      channel: says,
      newestBlock: says,
    })
    const channels = new ChannelLedger({ ...on.parts, escrow }, { channelDeposit: TOKEN })
    await channels.load()
    const reconciler = new Reconciler({ ...on.parts, escrow, channels })
    assert.equal(await reconciler.pass(signal), 0)
    assert.equal(reconciler.chainFault, code)
  }
  await on.alices.pass(signal)
  assert.equal(on.alices.chainFault, undefined)
})

test('an endpoint that is away is a pause: the next pass sees the difference', async () => {
  await using on = await open()
  let down = true
  const chain = on.escrow
  const channel: Escrow['channel'] = async (...args) => {
    if (down) throw new HiveError('CHAIN_UNREACHABLE')
    return chain.channel(...args)
  }
  const { clock, signing, store } = on.parts
  const escrow = Object.assign(Object.create(chain) as Escrow, { channel })
  const channels = new ChannelLedger({ clock, signing, store, escrow }, { channelDeposit: TOKEN })
  await channels.load()
  await using reconciler = new Reconciler({ ...on.parts, channels })
  await chain.topUp({ channel: on.id, from: TOKEN, amount: 7n }, { signal })
  reconciler.start()
  await on.clock.advance(0)
  assert.equal(reconciler.drift, 0)
  down = false
  await on.clock.advance(60_000)
  assert.equal(reconciler.drift, 1)
  assert.equal(channels.all()[0]?.deposit, TOKEN + 7n)
})
