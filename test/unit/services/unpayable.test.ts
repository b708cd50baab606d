import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour } from '../../../node/domain/units.ts'
import { DriftCounts } from '../../../node/services/drift.ts'
import { Reconciler } from '../../../node/services/reconciler.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const PRICE = 4n * TASK_PRICE
const { signal } = new AbortController()

/** A provider with a share on a channel that a test closes or makes disappear. */
async function withShare(script: FakeScript) {
  const market = new TestMarket()
  const clock = new ManualClock(Date.now())
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const provider = await market.provider(bob, {}, { clock })
  const deal = await alice.deal(script)
  const { id } = await alice.award(deal)
  const idle = await market.requester(bob)
  const { works, earnings } = provider
  const counts = new DriftCounts()
  const parts = { ...market.parts(bob), clock, channels: idle.channels, earnings, provider }
  const reconciler = new Reconciler({ ...parts, counts })
  const chain = market.chain.channels
  const onChain = chain.get(deal.channel)
  assert.ok(onChain)
  return {
    alice,
    deal,
    clock,
    works,
    id,
    pass: async () => reconciler.pass(signal),
    jobs: () => counts.of('job'),
    state: async () => (await works.get(id))?.state,
    close: () => void chain.set(onChain.id, { ...onChain, status: 'closed' }),
    vanish: () => void chain.delete(onChain.id),
    comeBack: () => void chain.set(onChain.id, onChain),
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

test('a share that runs on a channel that is closed ends, and its requester hears so', async () => {
  await using on = await withShare({ spin: true })
  await on.pass()
  assert.deepEqual(on.jobs(), { found: 0, mended: 0 })
  on.close()
  await on.pass()
  assert.deepEqual(on.jobs(), { found: 1, mended: 1 })
  const work = await on.works.get(on.id)
  assert.deepEqual([work?.state, work?.error], ['failed', 'INTERRUPTED'])
  assert.deepEqual((await on.alice.follow(on.id)).at(-1), { type: 'failed', code: 'INTERRUPTED' })
  await on.pass()
  assert.equal(on.jobs().found, 1)
})

test('a share that was delivered on a channel that is closed is written off when the close is final', async () => {
  await using on = await withShare({ stdout: 'x' })
  assert.equal((await on.alice.follow(on.id)).at(-1)?.type, 'receipt')
  on.close()
  await on.pass()
  assert.equal(await on.state(), 'verifying', 'the close could be undone still')
  await on.clock.advance(hour)
  await on.pass()
  const work = await on.works.get(on.id)
  assert.deepEqual([work?.state, work?.error], ['cancelled', 'CHANNEL_CLOSED'])
  assert.deepEqual(on.jobs(), { found: 1, mended: 1 })
  assert.equal(on.works.unpaidBy(on.alice.member.signing.address, 0n), 0n)
  await on.pass()
  assert.equal(on.jobs().found, 1)
})

test('a channel that the chain forgot has the time of a reorganisation to come back before its shares are written off', async () => {
  await using on = await withShare({ stdout: 'x' })
  await on.alice.follow(on.id)
  on.vanish()
  await on.pass()
  await on.clock.advance(0.5 * hour)
  await on.pass()
  assert.equal(on.jobs().found, 0)
  on.comeBack()
  await on.pass()
  on.vanish()
  await on.pass()
  await on.clock.advance(0.9 * hour)
  await on.pass()
  assert.equal(on.jobs().found, 0)
  await on.clock.advance(0.2 * hour)
  await on.pass()
  assert.deepEqual(on.jobs(), { found: 1, mended: 1 })
})

test('a share that was paid before its channel closed stays paid', async () => {
  await using on = await withShare({ stdout: 'x' })
  await on.alice.follow(on.id)
  await on.alice.pay(on.deal.channel, [{ seq: 1, agreement: on.id, amount: PRICE }])
  on.close()
  await on.pass()
  await on.clock.advance(hour)
  await on.pass()
  assert.equal(await on.state(), 'settled')
  assert.equal(on.jobs().found, 0)
})
