import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Agreement } from '../../../node/domain/agreement.ts'
import type { JobSpec } from '../../../node/domain/job-spec.ts'
import { taskListHash } from '../../../node/protocol/typed-data.ts'
import { HandMadeRequester, type Deal } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { bytes32Of, SOME_CID } from '../../support/messages.ts'
import { TASK_PRICE, TestMarket, TOKEN } from '../../support/test-market.ts'

const PRICE = 4n * TASK_PRICE
const changed = (deal: Deal, changes: Partial<Agreement>): Deal => ({
  ...deal,
  agreement: { ...deal.agreement, ...changes },
})

async function open() {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const provider = await market.provider(market.member())
  return {
    market,
    alice,
    provider,
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

test('an award twice: the same countersigned agreement, run once', async () => {
  await using on = await open()
  const deal = await on.alice.deal({ stdout: 'once' })
  const first = await on.alice.award(deal)
  const events = await on.alice.follow(first.id)
  const sealed = on.alice.member.signing.openFrom('Agreement', first.bytes, [
    on.alice.member.signing.address,
    on.alice.member.signing.open('Bid', deal.answer.bid ?? new Uint8Array()).message.provider,
  ])
  assert.equal(sealed.id, first.id)
  assert.equal(events.filter(({ type }) => type === 'started').length, 4)
  // the award carries its time, so only the agreement decides whether it is the same
  assert.deepEqual((await on.alice.award(deal)).bytes, first.bytes)
  assert.deepEqual(
    (await on.alice.follow(first.id)).filter(({ type }) => type === 'started').length,
    4,
  )
  assert.equal((await on.provider.works.all()).length, 1)
})

test('an award that breaks a rule is refused by code, and nothing is kept of it', async () => {
  await using on = await open()
  const deal = await on.alice.deal()
  const refused = async (bad: Deal, code: string, rule?: string) =>
    assert.rejects(on.alice.award(bad), rule === undefined ? { code } : { code, data: { rule } })
  const invalid = async (changes: Partial<Agreement>, rule: string) =>
    refused(changed(deal, changes), 'AGREEMENT_INVALID', rule)
  await refused(changed(deal, { offer: bytes32Of('0f') }), 'BID_EXPIRED')
  await refused(changed(deal, { channel: bytes32Of('c1') }), 'CHANNEL_UNKNOWN')
  await refused(changed(deal, { price: 2n * TOKEN, owedAfter: 2n * TOKEN }), 'DECLINED_EXPOSURE')
  await invalid({ spec: bytes32Of('5e') }, 'R2')
  await invalid({ input: taskListHash([0, 1]) }, 'R2')
  await invalid({ tasks: 3 }, 'R3')
  await invalid({ price: PRICE - 1n }, 'R4')
  await invalid({ price: PRICE + 1n, owedAfter: PRICE + 1n }, 'R4')
  await invalid({ seq: 0 }, 'R6')
  await invalid({ owedAfter: PRICE - 1n }, 'R7')
  await invalid({ owedAfter: TOKEN + 1n }, 'R8')
  await invalid({ stake: TOKEN + 1n }, 'R9')
  await invalid({ startBy: 1 }, 'R10')
  await invalid({ caseBond: 1n }, 'R12')
  const soon = Math.floor(Date.now() / 1000) + 10
  await invalid({ startBy: soon, finishBy: soon }, 'R11')
  assert.deepEqual(await on.provider.works.all(), [])
  assert.deepEqual(on.provider.earnings.all(), [])
  await on.alice.award(deal)
})

test('an award for tasks that the offer’s job does not have is taken and then honestly failed', async () => {
  await using on = await open()
  const deal = await on.alice.deal()
  const tasks = [0, 1, 2, 4]
  const beyond = { ...changed(deal, { input: taskListHash(tasks) }), tasks }
  const { id } = await on.alice.award(beyond)
  assert.deepEqual((await on.alice.follow(id)).at(-1), { type: 'failed', code: 'SPEC_INVALID' })
  assert.equal(on.provider.works.owedOn(deal.channel), 0n)
})

test('an agreement or an award that another key signed is refused', async () => {
  await using on = await open()
  const deal = await on.alice.deal()
  const mallory = on.market.member()
  await assert.rejects(on.alice.award(deal, mallory), { code: 'BID_EXPIRED' })
  const impostor = { ...on.alice.member, signing: mallory.signing }
  await assert.rejects(on.alice.award(deal, impostor), { code: 'SIGNATURE_INVALID' })
})

test('a closing channel and one of other parties are refused', async () => {
  await using on = await open()
  const deal = await on.alice.deal()
  const other = new HandMadeRequester(on.market, on.market.member())
  const others = await other.deal()
  await assert.rejects(on.alice.award(changed(deal, { channel: others.channel })), {
    code: 'AGREEMENT_INVALID',
    data: { rule: 'R1' },
  })
  const { signal } = new AbortController()
  await on.market.chain.as(on.alice.member.signing.address).startClose(deal.channel, { signal })
  await assert.rejects(on.alice.award(deal), { code: 'AGREEMENT_INVALID', data: { rule: 'R1' } })
})

test('a bid that has expired is not agreed to', async () => {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const clock = new ManualClock(Date.now())
  await using provider = await market.provider(market.member(), {}, { clock })
  const deal = await alice.deal()
  await clock.advance(2 * 60_000)
  const later = changed(deal, {
    startBy: deal.agreement.startBy + 120,
    finishBy: deal.agreement.finishBy + 120,
  })
  await clock.advance(1)
  await assert.rejects(alice.award(later), { code: 'AGREEMENT_INVALID', data: { rule: 'R5' } })
  assert.deepEqual(await provider.works.all(), [])
})

test('what is agreed counts as owed: a second share beyond the deposit is declined', async () => {
  await using on = await open()
  const deal = await on.alice.deal({ sleepMs: 200 }, PRICE + 1n)
  const { id } = await on.alice.award(deal)
  const offer = await on.alice.offer()
  const answer = await on.alice.ask(offer)
  const second = on.alice.dealOn(deal.channel, offer, answer, 2, PRICE)
  await assert.rejects(on.alice.award(second), { code: 'DECLINED_EXPOSURE' })
  await on.alice.cancel(id)
  await on.alice.follow(id)
  const smaller = on.alice.dealOn(deal.channel, offer, answer, 2, 0n)
  await on.alice.award(smaller)
})

test('a stranger hears nothing of a share and cannot stop it', async () => {
  await using on = await open()
  const deal = await on.alice.deal({ sleepMs: 100, stdout: 'secret' })
  const { id } = await on.alice.award(deal)
  const mallory = on.market.member()
  await assert.rejects(on.alice.follow(id, 0, mallory), { code: 'AGREEMENT_UNKNOWN' })
  await assert.rejects(on.alice.cancel(id, mallory), { code: 'AGREEMENT_UNKNOWN' })
  await assert.rejects(on.alice.follow(bytes32Of('a9')), { code: 'AGREEMENT_UNKNOWN' })
  const events = await on.alice.follow(id)
  assert.equal(events.at(-1)?.type, 'receipt')
})

test('followers can come back: from any event on they hear the rest, and after all of them the last', async () => {
  await using on = await open()
  const deal = await on.alice.deal({ stdout: 'x' })
  const { id } = await on.alice.award(deal)
  const all = await on.alice.follow(id)
  assert.deepEqual(await on.alice.follow(id, 3), all.slice(3))
  assert.deepEqual(await on.alice.follow(id, 1000), all.slice(-1))
})

test('a spec that cannot be had fails the share; nothing is owed', async () => {
  await using on = await open()
  const offer = await on.alice.offer({}, { spec: bytes32Of('5e') })
  const first = await on.alice.deal()
  const deal = on.alice.dealOn(first.channel, offer, await on.alice.ask(offer), 1, 0n)
  const { id } = await on.alice.award(deal)
  assert.deepEqual((await on.alice.follow(id)).at(-1), {
    type: 'failed',
    code: 'CONTENT_NOT_FOUND',
  })
  assert.equal(on.provider.works.owedOn(deal.channel), 0n)
})

test('a spec that asks for more than its offer did is not run', async () => {
  await using on = await open()
  const first = await on.alice.deal()
  const bad: Partial<JobSpec>[] = [
    { timeoutMs: 60_000 },
    { resources: { cpuMillis: 1000, memoryBytes: 2 ** 30, diskBytes: 2 ** 24 } },
    { image: { path: '/image', cid: SOME_CID, size: 1 } },
  ]
  for (const [at, changes] of bad.entries()) {
    const offer = await on.alice.offer({}, {}, changes)
    const deal = on.alice.dealOn(first.channel, offer, await on.alice.ask(offer), at + 1, 0n)
    const { id } = await on.alice.award(deal)
    assert.deepEqual((await on.alice.follow(id)).at(-1), { type: 'failed', code: 'SPEC_INVALID' })
  }
})

test('a spec of another kind than its offer’s class is not run, even where that kind could be', async () => {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const sandboxes = [createFakeSandbox('wasm'), createFakeSandbox('docker')]
  await using _ = await market.provider(market.member(), {}, { sandboxes })
  const first = await alice.deal()
  const offer = await alice.offer({}, {}, { kind: 'docker' })
  const deal = alice.dealOn(first.channel, offer, await alice.ask(offer), 1, 0n)
  const { id } = await alice.award(deal)
  assert.deepEqual((await alice.follow(id)).at(-1), { type: 'failed', code: 'SPEC_INVALID' })
})
