import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import type { PaidShare } from '../../../node/domain/voucher.ts'
import type { Escrow } from '../../../node/ports/escrow.ts'
import { HandMadeRequester, type Deal } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { bytes32Of } from '../../support/messages.ts'
import { claimed, TASK_PRICE, TestMarket, TOKEN, type Member } from '../../support/test-market.ts'

const PRICE = 4n * TASK_PRICE
const { signal } = new AbortController()

/** A provider that has delivered one share to a requester made by hand. */
async function delivered(
  options: { readonly clock?: ManualClock; readonly escrow?: (chain: Escrow) => Escrow } = {},
) {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const chain = market.chain.as(bob.signing.address)
  const escrow = options.escrow?.(chain) ?? chain
  const clock = options.clock === undefined ? {} : { clock: options.clock }
  const provider = await market.provider(bob, {}, { escrow, ...clock })
  const deal = await alice.deal({ stdout: 'x' })
  const share = await deliver(alice, deal)
  return {
    market,
    alice,
    bob,
    provider,
    deal,
    share,
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

/** Awards a deal, waits for its receipt, and says what a voucher would pay for it. */
async function deliver(requester: HandMadeRequester, deal: Deal): Promise<PaidShare> {
  const { id } = await requester.award(deal)
  const last = (await requester.follow(id)).at(-1)
  assert.equal(last?.type, 'receipt')
  return { seq: deal.agreement.seq, agreement: id, amount: deal.agreement.price }
}

/** One more share on the same channel. */
async function another(requester: HandMadeRequester, before: Deal): Promise<PaidShare> {
  const offer = await requester.offer()
  const answer = await requester.ask(offer)
  const { channel, agreement } = before
  return deliver(
    requester,
    requester.dealOn(channel, offer, answer, agreement.seq + 1, agreement.owedAfter),
  )
}

test('a voucher is taken once: replayed, it changes nothing and is claimed once', async () => {
  await using on = await delivered()
  assert.equal(await on.alice.pay(on.deal.channel, [on.share]), 1)
  const after = on.provider.earnings.get(on.deal.channel)
  assert.equal(await on.alice.pay(on.deal.channel, [on.share]), 1)
  assert.deepEqual(on.provider.earnings.get(on.deal.channel)?.paid, after?.paid)
  await claimed(on.market, PRICE)
})

test('vouchers R1: one that its channel’s requester did not sign, or does not bring, is refused', async () => {
  await using on = await delivered()
  const mallory = on.market.member()
  await assert.rejects(
    on.alice.pay(on.deal.channel, [on.share], {}, on.alice.member, mallory.signing),
    {
      code: 'SIGNATURE_INVALID',
    },
  )
  await assert.rejects(on.alice.pay(on.deal.channel, [on.share], {}, mallory), {
    code: 'CHANNEL_UNKNOWN',
  })
  await assert.rejects(on.alice.pay(bytes32Of('c1'), [on.share]), { code: 'CHANNEL_UNKNOWN' })
  assert.equal(on.provider.earnings.get(on.deal.channel)?.cumulative, 0n)
})

test('vouchers R2 to R5: one that does not raise its channel by exactly its shares is refused', async () => {
  await using on = await delivered()
  const refused = async (rule: string, ...args: Parameters<HandMadeRequester['pay']>) =>
    assert.rejects(on.alice.pay(...args), { code: 'VOUCHER_INVALID', data: { rule } })
  const { channel } = on.deal
  await refused('R2', channel, [on.share], { cumulative: 0n })
  await refused('R3', channel, [on.share], { cumulative: PRICE - 1n })
  await refused('R3', channel, [on.share], { jobs: 2 })
  await refused('R3', channel, [on.share, on.share])
  await refused('R4', channel, [on.share], { jobsRoot: bytes32Of('22') })
  await refused('R5', channel, [{ ...on.share, amount: TOKEN + 1n }])
  assert.equal(on.provider.earnings.get(channel)?.cumulative, 0n)
  assert.equal(on.provider.works.owedOn(channel), PRICE)
})

test('a second voucher that is lower than the first is refused, whatever it counts', async () => {
  await using on = await delivered()
  const second = await another(on.alice, on.deal)
  await on.alice.pay(on.deal.channel, [on.share])
  const low = { ...second, amount: -1n + second.amount }
  await assert.rejects(on.alice.pay(on.deal.channel, [on.share, low], { cumulative: PRICE - 1n }), {
    code: 'VOUCHER_INVALID',
    data: { rule: 'R2' },
  })
  assert.equal(await on.alice.pay(on.deal.channel, [on.share, second]), 2)
  await claimed(on.market, 2n * PRICE)
})

test('vouchers R6: a share that was not delivered, or at another amount or number, is refused', async () => {
  await using on = await delivered()
  const refused = async (share: PaidShare) =>
    assert.rejects(on.alice.pay(on.deal.channel, [share]), {
      code: 'VOUCHER_INVALID',
      data: { rule: 'R6', agreement: share.agreement },
    })
  await refused({ ...on.share, agreement: bytes32Of('a9') })
  await refused({ ...on.share, amount: on.share.amount - 1n })
  await refused({ ...on.share, seq: 2 })
})

test('vouchers R6: nobody pays another requester’s share on a channel of its own, and so blocks that', async () => {
  await using on = await delivered()
  const mallory = new HandMadeRequester(on.market, on.market.member())
  const own = await mallory.deal()
  await deliver(mallory, own)
  await assert.rejects(mallory.pay(own.channel, [on.share]), { code: 'VOUCHER_INVALID' })
  assert.equal(await on.alice.pay(on.deal.channel, [on.share]), 1)
})

test('a claim that cannot be sent is tried again until it is mined', async () => {
  let down = 2
  const flaky = (chain: Escrow): Escrow =>
    Object.assign(Object.create(chain) as Escrow, {
      feeBps: chain.feeBps.bind(chain),
      balances: chain.balances.bind(chain),
      channel: chain.channel.bind(chain),
      claim: async (...args: Parameters<Escrow['claim']>) => {
        if (down-- > 0) throw new HiveError('CHAIN_UNREACHABLE')
        return chain.claim(...args)
      },
    })
  const clock = new ManualClock(Date.now())
  await using on = await delivered({ clock, escrow: flaky })
  await on.alice.pay(on.deal.channel, [on.share])
  await clock.advance(50)
  assert.equal(on.market.chain.claimed, 0n)
  await clock.advance(15_000)
  assert.equal(on.market.chain.claimed, 0n)
  await clock.advance(15_000)
  assert.equal(on.market.chain.claimed, PRICE)
  await clock.advance(600_000)
  assert.equal(on.market.chain.claimed, PRICE)
})

test('vouchers of a provider that restarts before it claimed are claimed after the start', async () => {
  const clock = new ManualClock(Date.now())
  await using on = await delivered({ clock })
  await on.alice.pay(on.deal.channel, [on.share])
  await on.provider[Symbol.asyncDispose]()
  assert.equal(on.market.chain.claimed, 0n)
  await using _ = await on.market.provider(on.market.rejoin(on.bob))
  await claimed(on.market, PRICE)
})

test('a claim is sent at once when much is owed', async () => {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const options = { claimAbove: PRICE, claimAfterIdleMs: 3600_000 }
  await using _ = await market.provider(market.member(), options)
  const deal = await alice.deal()
  await alice.pay(deal.channel, [await deliver(alice, deal)])
  await claimed(market, PRICE)
})

test('reconciling takes over a top-up and what was paid out, and says whether that was news', async () => {
  await using on = await delivered()
  const { channel } = on.deal
  const before = on.provider.earnings.get(channel)
  assert.ok(before)
  assert.equal(await on.provider.earnings.reconcile(before, signal), false)
  await escrowOf(on.market, on.alice.member).topUp({ channel, from: TOKEN, amount: 5n }, { signal })
  assert.equal(await on.provider.earnings.reconcile(before, signal), true)
  assert.equal(on.provider.earnings.get(channel)?.deposit, TOKEN + 5n)
  assert.equal(await on.provider.earnings.reconcile(before, signal), false)
})

function escrowOf(market: TestMarket, { signing }: Member): Escrow {
  return market.chain.as(signing.address)
}
