import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import { taskListHash } from '../../../node/protocol/typed-data.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import type { ProviderOptions } from '../../../node/services/provider/provider-options.ts'
import { HandMadeRequester, type Deal } from '../../support/hand-made-requester.ts'
import { TASK_PRICE, TestMarket } from '../../support/test-market.ts'

/** What a hand-made deal costs: it is about four tasks. */
const PRICE = 4n * TASK_PRICE
const DECLINED = { code: 'DECLINED_EXPOSURE' } as const

/** A provider that trusts a stranger with so many deals, and a requester that plays its own game. */
async function market(deals: bigint, options: Partial<ProviderOptions> = {}) {
  const all = new TestMarket()
  const requester = new HandMadeRequester(all, all.member())
  const credit = { start: deals * PRICE, most: 100n * PRICE }
  const provider = await all.provider(all.member(), { credit, ...options })
  return { all, requester, provider }
}

/** Takes a deal to its end; resolves with what is owed for it. */
async function delivered(requester: HandMadeRequester, deal: Deal) {
  const { id } = await requester.award(deal)
  assert.equal((await requester.follow(id)).at(-1)?.type, 'receipt')
  return { agreement: id, seq: deal.agreement.seq, amount: deal.agreement.price }
}

/** How many deals the requester is let have unpaid at the same time, each on a channel of its own. */
async function admitted(requester: HandMadeRequester, most: number): Promise<number> {
  const deals: Deal[] = []
  for (let at = 0; at < most; at++) deals.push(await requester.deal())
  let count = 0
  for (const deal of deals) {
    try {
      await delivered(requester, deal)
      count++
    } catch (error) {
      assert.equal((error as { code?: string }).code, DECLINED.code)
      break
    }
  }
  return count
}

/** The deal about its first tasks alone. */
function withTasks(deal: Deal | undefined, count: number): Deal {
  assert.ok(deal)
  const tasks = deal.tasks.slice(0, count)
  const price = TASK_PRICE * BigInt(count)
  const about = { input: taskListHash(tasks), tasks: count, price, owedAfter: price }
  return { ...deal, tasks, agreement: { ...deal.agreement, ...about } }
}

function windowOf(provider: Provider, requester: HandMadeRequester): bigint {
  return provider.credit.window(requester.member.signing.address)
}

test('a requester that pays is let have more unpaid: by as much as it has paid, and not before', async () => {
  const { requester, provider } = await market(2n)
  await using _ = provider
  const deals: { readonly channel: Bytes32; readonly deal: Deal }[] = []
  for (let at = 0; at < 4; at++) {
    const deal = await requester.deal()
    deals.push({ channel: deal.channel, deal })
  }
  const [first, second, third, fourth] = deals
  assert.ok(first && second && third && fourth)
  const owed = await delivered(requester, first.deal)
  await delivered(requester, second.deal)
  await assert.rejects(requester.award(third.deal), DECLINED)
  await requester.pay(first.channel, [owed])
  // one is unpaid, and the window is three by now
  await delivered(requester, third.deal)
  await delivered(requester, fourth.deal)
  assert.equal(windowOf(provider, requester), 3n * PRICE)
})

test('awards at the same time on several channels have one window together', async () => {
  const { requester, provider } = await market(2n)
  await using _ = provider
  const deals: Deal[] = []
  for (let at = 0; at < 5; at++) deals.push(await requester.deal({ sleepMs: 50 }))
  const answers = await Promise.allSettled(deals.map(async (deal) => requester.award(deal)))
  const taken = answers.filter(({ status }) => status === 'fulfilled')
  assert.equal(taken.length, 2)
  for (const answer of answers)
    if (answer.status === 'rejected')
      assert.equal((answer.reason as { code?: string }).code, DECLINED.code)
})

test('a requester that takes what it may and cancels, again and again, has had the start and no more', async () => {
  const { requester, provider } = await market(1n)
  await using _ = provider
  const deals = [await requester.deal(), await requester.deal(), await requester.deal()]
  let had = 0n
  // halved each time, as the window is
  for (const [at, tasks] of [4, 2, 1].entries()) {
    const deal = withTasks(deals[at], tasks)
    const owed = await delivered(requester, deal).catch(() => undefined)
    if (owed === undefined) continue
    had += owed.amount
    await requester.cancel(owed.agreement)
  }
  assert.equal(had, PRICE)
})

test('what a requester left unpaid narrows its window after a restart too', async () => {
  const all = new TestMarket()
  const requester = new HandMadeRequester(all, all.member())
  const member = all.member()
  const options = { credit: { start: 4n * PRICE, most: 100n * PRICE } }
  {
    await using provider = await all.provider(member, options)
    await requester.cancel((await delivered(requester, await requester.deal())).agreement)
    assert.equal(windowOf(provider, requester), PRICE)
  }
  await using again = await all.provider(all.rejoin(member), options)
  assert.equal(windowOf(again, requester), PRICE)
})

test('a requester that lost cases is let have less, and one that earned long and well more', async () => {
  for (const [record, deals] of [
    [{ faults: 1, feesPaid: 0n, firstSeen: 1 }, 1],
    [{ faults: 0, feesPaid: 0n, firstSeen: 0 }, 2],
    [{ faults: 0, feesPaid: 0n, firstSeen: 1 }, 3],
    [{ faults: 0, feesPaid: 10n * PRICE, firstSeen: 1 }, 4],
  ] as const) {
    const { all, requester, provider } = await market(2n)
    await using _ = provider
    all.chain.records.set(requester.member.signing.address, record)
    assert.equal(await admitted(requester, 5), deals, JSON.stringify({ ...record, feesPaid: '' }))
  }
})

test('an endpoint that does not tell what the contract knows changes nothing about a requester', async () => {
  const all = new TestMarket()
  const requester = new HandMadeRequester(all, all.member())
  const member = all.member()
  all.chain.records.set(requester.member.signing.address, { faults: 1, feesPaid: 0n, firstSeen: 1 })
  const escrow = all.chain.as(member.signing.address)
  escrow.record = async () => Promise.reject(new Error('away'))
  const credit = { start: 2n * PRICE, most: 100n * PRICE }
  await using _ = await all.provider(member, { credit }, { escrow })
  assert.equal(await admitted(requester, 3), 2)
})
