import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '../../../node/domain/errors.ts'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import { hour } from '../../../node/domain/units.ts'
import { bondNonce } from '../../../node/protocol/random.ts'
import { DriftCounts } from '../../../node/services/drift.ts'
import { Reconciler } from '../../../node/services/reconciler.ts'
import { ChannelLedger } from '../../../node/services/requester/channel-ledger.ts'
import { Watchtower } from '../../../node/services/watchtower/watchtower.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { claimed, TASK_PRICE, TestMarket, TOKEN } from '../../support/test-market.ts'

const PRICE = 4n * TASK_PRICE
const { signal } = new AbortController()
const share = (n: number): Bytes32 => `0x${n.toString(16).padStart(64, '0')}`

/** A requester's ledger with one channel, on a chain that can forget. */
async function paying() {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const clock = new ManualClock(Date.now())
  market.chain.now = () => Math.floor(clock.now() / 1000)
  const parts = { ...market.parts(alice), clock }
  const ledger = new ChannelLedger(parts, { channelDeposit: TOKEN })
  const [requester, provider] = [alice.signing.address, bob.signing.address]
  const expiry = market.chain.now() + 3600
  const bond = { bond: 1n, hold: 0, expiry, nonce: bondNonce(requester) }
  const offer = { provider, requester, providerSigner: provider, ...bond }
  const signature = bob.signing.seal('BondOffer', offer).signatures[0] ?? new Uint8Array()
  const reserve = async (n: number, price: bigint) =>
    ledger.reserve(
      bob.signing.peer,
      { offer, signature },
      { price, job: share(9) },
      () => share(n),
      signal,
    )
  await reserve(1, 1n)
  const [channel] = ledger.all()
  assert.ok(channel)
  const { id } = channel
  const reconciler = new Reconciler({ ...parts, channels: ledger, earnings: undefined })
  return { market, clock, parts, ledger, reserve, id, reconciler, chain: market.chain.channels }
}

/** A provider with a paid and claimed share, on a chain that can forget. */
async function earning() {
  const market = new TestMarket()
  const clock = new ManualClock(Date.now())
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const provider = await market.provider(bob, {}, { clock })
  const deal = await alice.deal({ stdout: 'x' })
  const { id } = await alice.award(deal)
  assert.equal((await alice.follow(id)).at(-1)?.type, 'receipt')
  await alice.pay(deal.channel, [{ seq: 1, agreement: id, amount: PRICE }])
  await clock.advance(50)
  await claimed(market, PRICE)
  const idle = await market.requester(bob)
  const parts = { ...market.parts(bob), clock, channels: idle.channels }
  const { earnings } = provider
  const counts = new DriftCounts()
  const reconciler = new Reconciler({ ...parts, earnings, counts })
  await reconciler.pass(signal) // the claim may still be on its way into the record
  const chain = market.chain.channels
  const onChain = chain.get(deal.channel)
  assert.ok(onChain)
  const tower = new Watchtower({ ...parts, counts, requester: idle, provider })
  return {
    market,
    clock,
    earnings,
    reconciler,
    tower,
    chain,
    onChain,
    id: deal.channel,
    record: () => earnings.get(deal.channel),
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

test('a close that a reorganised chain undoes is noticed for an hour, and the channel is watched again', async () => {
  const on = await paying()
  const before = on.chain.get(on.id)
  assert.ok(before)
  on.chain.set(on.id, { ...before, status: 'closed', deposit: 0n })
  assert.equal(await on.reconciler.pass(signal), 1)
  assert.deepEqual(on.ledger.all(), [])
  await on.clock.advance(0.9 * hour)
  on.chain.set(on.id, { ...before, status: 'closing' })
  assert.equal(await on.reconciler.pass(signal), 1)
  assert.deepEqual(
    on.ledger.all().map(({ status, deposit }) => [status, deposit]),
    [['closing', TOKEN]],
  )
  on.chain.set(on.id, { ...before, status: 'closed', deposit: 0n })
  await on.reconciler.pass(signal)
  await on.clock.advance(hour)
  on.chain.set(on.id, before)
  assert.equal(await on.reconciler.pass(signal), 0, 'a close that old stays')
})

test('a top-up that a reorganised chain undoes is made again where it was promised', async () => {
  const on = await paying()
  await on.reserve(2, TOKEN)
  const raised = on.chain.get(on.id)
  assert.equal(raised?.deposit, 2n * TOKEN)
  on.chain.set(on.id, { ...raised, deposit: TOKEN })
  assert.equal(await on.reconciler.pass(signal), 1)
  assert.equal(on.chain.get(on.id)?.deposit, TOKEN, 'an endpoint may lag')
  assert.equal(await on.reconciler.pass(signal), 1)
  assert.ok((on.chain.get(on.id)?.deposit ?? 0n) > TOKEN)
  assert.equal(on.ledger.all()[0]?.deposit, on.chain.get(on.id)?.deposit)
  assert.equal(await on.reconciler.pass(signal), 0)
})

test('a top-up that is undone and cannot be paid any more is a difference that stays', async () => {
  const on = await paying()
  await on.reserve(2, TOKEN)
  const raised = on.chain.get(on.id)
  assert.ok(raised)
  on.chain.set(on.id, { ...raised, deposit: 1n })
  on.market.chain.free.set(on.parts.signing.address, 0n)
  for (let passes = 0; passes < 3; passes++) await on.reconciler.pass(signal)
  assert.deepEqual(on.reconciler.driftOf('channel'), { found: 3, mended: 1 })
})

test('a provider’s channel whose close is undone is claimed on again', async () => {
  await using on = await earning()
  on.chain.set(on.id, { ...on.onChain, status: 'closed', settled: 0n })
  await on.reconciler.pass(signal)
  assert.equal(on.record()?.closed, true)
  on.chain.set(on.id, { ...on.onChain, settled: 0n })
  assert.equal(await on.reconciler.pass(signal), 1)
  assert.equal(on.record()?.closed, undefined)
  await on.clock.advance(50)
  await claimed(on.market, 2n * PRICE)
})

test('a provider’s channel that the chain forgot is a difference once, and is claimed on when it is back', async () => {
  await using on = await earning()
  const { found } = on.reconciler.driftOf('earning')
  on.chain.delete(on.id)
  await on.reconciler.pass(signal)
  await on.reconciler.pass(signal)
  assert.equal(on.reconciler.driftOf('earning').found, found + 1)
  assert.equal(on.record()?.missingSince, on.clock.now())
  on.chain.set(on.id, { ...on.onChain, settled: 0n })
  await on.reconciler.pass(signal)
  assert.equal(on.record()?.missingSince, undefined)
  await on.clock.advance(50)
  await claimed(on.market, 2n * PRICE)
})

test('a claim on a channel that the chain forgot waits until it is back, and is not taken for paid', async () => {
  await using on = await earning()
  on.chain.set(on.id, { ...on.onChain, settled: 0n })
  await on.reconciler.pass(signal)
  on.chain.delete(on.id)
  await on.clock.advance(50)
  assert.equal(on.record()?.claimed, 0n)
  on.chain.set(on.id, { ...on.onChain, settled: 0n })
  await on.reconciler.pass(signal)
  await on.clock.advance(50)
  await claimed(on.market, 2n * PRICE)
})

test('the release of a bond that a reorganised chain undoes is sent again', async () => {
  await using on = await earning()
  on.market.chain.now = () => Math.floor(on.clock.now() / 1000)
  const closed = { ...on.onChain, status: 'closed', bondFreeAt: 1 } as const
  on.chain.set(on.id, closed)
  await on.tower.pass(signal)
  assert.equal(on.chain.get(on.id)?.bond, 0n)
  await on.tower.pass(signal)
  on.chain.set(on.id, closed)
  await on.clock.advance(0.5 * hour)
  await on.tower.pass(signal)
  assert.equal(on.chain.get(on.id)?.bond, 0n)
  await on.tower.pass(signal)
  await on.clock.advance(2 * hour)
  await on.tower.pass(signal)
  on.chain.set(on.id, closed)
  await on.tower.pass(signal)
  assert.equal(on.chain.get(on.id)?.bond, TOKEN, 'what is over for long is not looked at any more')
})

test('a channel whose notice has run out is closed by its requester, which has its deposit back', async () => {
  const on = await paying()
  const { address } = on.parts.signing
  const market = on.market
  await on.parts.escrow.startClose(on.id, { signal })
  const requester = await market.requester({ ...market.member(), store: on.parts.store })
  const counts = new DriftCounts()
  const tower = new Watchtower({ ...on.parts, counts, requester })
  await tower.pass(signal)
  assert.equal(on.chain.get(on.id)?.status, 'closing')
  const before = market.chain.free.get(address) ?? 0n
  await on.clock.advance(25 * hour)
  await tower.pass(signal)
  assert.equal(on.chain.get(on.id)?.status, 'closed')
  assert.equal(market.chain.free.get(address), before + TOKEN)
  assert.deepEqual(requester.channels.all(), [])
})

/** A ledger after a kill, with a top-up of one token sent by the life before; `mine` has it mined. */
async function killedAtATopUp() {
  const on = await paying()
  const account = on.parts.signing.address
  const sent = Promise.withResolvers<void>()
  const escrow = Object.assign(on.market.chain.as(account), {
    topUp: async () => {
      sent.resolve()
      return new Promise<undefined>(() => {}) // the node is gone before it is mined
    },
  })
  const first = new ChannelLedger({ ...on.parts, escrow }, { channelDeposit: TOKEN })
  await first.load()
  void first.reserveOn(on.id, { price: TOKEN, job: share(9) }, () => share(2), signal)
  await sent.promise
  const again = new ChannelLedger(on.parts, { channelDeposit: TOKEN })
  await again.load()
  const top = { channel: on.id, from: TOKEN, amount: TOKEN }
  return { ...on, again, mine: async () => on.parts.escrow.topUp(top, { signal }) }
}

test('a top-up that was under way when the node was killed is not sent a second time', async () => {
  const on = await killedAtATopUp()
  const [before] = on.again.all()
  assert.deepEqual([before?.deposit, before?.toppingUp], [TOKEN, TOKEN])
  await on.mine()
  await on.again.reserveOn(on.id, { price: TOKEN, job: share(9) }, () => share(3), signal)
  assert.equal(on.chain.get(on.id)?.deposit, 2n * TOKEN)
  const [after] = on.again.all()
  assert.deepEqual([after?.deposit, after?.toppingUp], [2n * TOKEN, undefined])
})

test('a deposit that rose by what a killed node had sent is taken over, and is no difference', async () => {
  const on = await killedAtATopUp()
  await on.mine()
  assert.equal(await on.again.reconcile(on.id, signal), false)
  const [after] = on.again.all()
  assert.deepEqual([after?.deposit, after?.toppingUp], [2n * TOKEN, undefined])
})

test('a top-up of a killed node that never reached the chain is sent by the next share that needs it', async () => {
  const on = await killedAtATopUp()
  await on.again.reserveOn(on.id, { price: TOKEN, job: share(9) }, () => share(3), signal)
  assert.equal(on.chain.get(on.id)?.deposit, 2n * TOKEN)
  assert.equal(on.again.all()[0]?.toppingUp, undefined)
})

test('a deposit that somebody else added to meanwhile is topped up from where it is', async () => {
  const on = await paying()
  await on.parts.escrow.topUp({ channel: on.id, from: TOKEN, amount: 7n }, { signal })
  await on.reserve(2, 3n * TOKEN)
  const [record] = on.ledger.all()
  assert.equal(record?.deposit, on.chain.get(on.id)?.deposit)
  assert.ok((record?.deposit ?? 0n) >= 3n * TOKEN + 1n)
})

test('a top-up that the contract refuses leaves nothing that waits for it', async () => {
  const on = await paying()
  on.market.chain.free.set(on.parts.signing.address, 0n)
  await assert.rejects(
    on.ledger.reserveOn(on.id, { price: TOKEN, job: share(9) }, () => share(2), signal),
    (error) => codeOf(error) === 'INSUFFICIENT_DEPOSIT',
  )
  assert.equal(on.ledger.all()[0]?.toppingUp, undefined)
})
