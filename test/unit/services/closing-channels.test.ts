import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DriftCounts } from '../../../node/services/drift.ts'
import { Watchtower } from '../../../node/services/watchtower/watchtower.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { claimed, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

const PRICE = 4n * TASK_PRICE
const DAY_S = 24 * 3600
const { signal } = new AbortController()

/** A provider in no hurry to claim, with a voucher in its hands. */
async function paid() {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const provider = await market.provider(bob, { claimAfterIdleMs: 3600_000 })
  const deal = await alice.deal({ stdout: 'x' })
  const { id } = await alice.award(deal)
  assert.equal((await alice.follow(id)).at(-1)?.type, 'receipt')
  await alice.pay(deal.channel, [{ seq: deal.agreement.seq, agreement: id, amount: PRICE }])
  const escrow = market.chain.as(alice.member.signing.address)
  const reconcile = async () => {
    const record = provider.earnings.get(deal.channel)
    assert.ok(record)
    return provider.earnings.reconcile(record, signal)
  }
  const requester = await market.requester(bob)
  const parts = { ...market.parts(bob), requester, provider, counts: new DriftCounts() }
  return {
    market,
    provider,
    watch: async () => new Watchtower(parts).pass(signal),
    escrow,
    reconcile,
    channel: deal.channel,
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

test('notice is given on a channel: what it owes is claimed at once, and not when it is convenient', async () => {
  await using on = await paid()
  await on.escrow.startClose(on.channel, { signal })
  await on.reconcile()
  await claimed(on.market, PRICE)
})

test('a channel that closed before all was claimed: the loss is said once, and nobody asks again', async () => {
  await using on = await paid()
  await on.escrow.startClose(on.channel, { signal })
  on.market.chain.now = () => Math.floor(Date.now() / 1000) + 2 * DAY_S
  await on.escrow.close(on.channel, { signal })
  assert.equal(await on.reconcile(), true)
  assert.equal(await on.reconcile(), false)
  await on.provider.earnings.claim(on.channel, signal)
  const said = on.market.log.filter(
    ({ message }) => message === 'channel closed before all was claimed',
  )
  assert.deepEqual(
    said.map(({ level, data }) => [level, data['lost']]),
    [['error', PRICE]],
  )
  const { claimed: got, cumulative, closed } = on.provider.earnings.get(on.channel) ?? {}
  assert.deepEqual([got, cumulative, closed], [0n, PRICE, true])
})

test('a provider that comes back when a notice has run out claims first, and closes then', async () => {
  await using on = await paid()
  await on.escrow.startClose(on.channel, { signal })
  await on.watch()
  assert.equal(on.market.chain.channels.get(on.channel)?.status, 'closing', 'not before its time')
  on.market.chain.now = () => Math.floor(Date.now() / 1000) + 2 * DAY_S
  await on.watch()
  const { status, settled } = on.market.chain.channels.get(on.channel) ?? {}
  assert.deepEqual([status, settled], ['closed', PRICE])
})
