import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FOLLOW_PERMILLE } from '../../../node/domain/pricing.ts'
import { GiB, hour, second } from '../../../node/domain/units.ts'
import { fromHex } from '../../../node/protocol/bytes.ts'
import type { ProviderOptions } from '../../../node/services/provider/provider-options.ts'
import type { FakeScript } from '../../support/fake-script.ts'
import { HandMadeRequester, type Deal } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import {
  aRequest,
  finished,
  started,
  TASK_PRICE,
  TestMarket,
  until,
} from '../../support/test-market.ts'

const PRICE = 4n * TASK_PRICE
const IN_TIME_S = 60 * 3600

/** A provider of two cores on a clock that stands still, and a requester whose tasks take one core each. */
async function open(options: Partial<ProviderOptions> = {}) {
  const market = new TestMarket()
  const clock = new ManualClock(Date.now())
  const alice = new HandMadeRequester(market, market.member())
  const provider = await market.provider(market.member(), options, { clock })
  const first = await alice.deal()
  let [seq, owed] = [0, 0n]
  /** A bid for four tasks of so long, and the deal that follows from it. */
  const bid = async (script: FakeScript, timeoutMs: number) => {
    const offer = await alice.offer(script, { taskTimeoutMs: timeoutMs }, { timeoutMs })
    const answer = await alice.ask(offer)
    if (answer.bid === undefined) return { decline: answer.decline }
    return { offer, answer, message: alice.member.signing.open('Bid', answer.bid).message }
  }
  const deal = async (script: FakeScript, timeoutMs: number): Promise<Deal> => {
    const { offer, answer } = await bid(script, timeoutMs)
    assert.ok(offer !== undefined && answer !== undefined)
    const made = alice.dealOn(first.channel, offer, answer, ++seq, owed)
    owed += PRICE
    const finishBy = made.agreement.startBy + IN_TIME_S
    return { ...made, agreement: { ...made.agreement, finishBy, disputeUntil: finishBy } }
  }
  /** Awards four tasks that never end, and waits until two of them run. */
  const block = async (timeoutMs: number) => {
    const { id } = await alice.award(await deal({ spin: true }, timeoutMs))
    while (provider.slots.utilisation < 1) await clock.advance(0)
    return id
  }
  return {
    clock,
    alice,
    provider,
    bid,
    deal,
    block,
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

const quoted = async (on: Awaited<ReturnType<typeof open>>, timeoutMs = second) => {
  const { message } = await on.bid({ exit: 0 }, timeoutMs)
  return [message?.etaMs, message?.capacity]
}

test('an idle provider quotes no wait; behind tasks of an hour it quotes hours, however short the own are', async () => {
  await using on = await open()
  assert.deepEqual(await quoted(on), [0, 2])
  await on.block(hour)
  // Two of four run, for an hour; then the other two.
  assert.deepEqual(await quoted(on), [2 * hour, 2])
  await on.clock.advance(20 * second)
  assert.deepEqual(await quoted(on), [2 * hour - 20 * second, 2])
})

test('shares count from the award on, while their content is still on its way', async () => {
  await using on = await open()
  const deal = await on.deal({ spin: true }, hour)
  await on.alice.award(deal)
  assert.equal(on.provider.slots.waiting, 2)
  assert.deepEqual(await quoted(on), [2 * hour, 2])
})

test('a wait is quoted by how long the same program of the same requester took before', async () => {
  await using on = await open()
  const { id } = await on.alice.award(await on.deal({ exit: 0 }, hour))
  await on.alice.follow(id)
  // Its like ended at once on the clock that stands still.
  await on.alice.award(await on.deal({ exit: 0 }, hour))
  const [etaMs] = await quoted(on, hour)
  assert.ok(etaMs !== undefined && etaMs < second)
})

test('what would not start within a day is declined as busy', async () => {
  await using on = await open()
  await on.block(13 * hour)
  assert.equal((await on.bid({}, second)).decline, 'DECLINED_BUSY')
})

test('bids that stand beside each other: of their awards only as many are taken as the queue holds', async () => {
  await using on = await open({ maxQueue: 2 })
  const [one, two] = [await on.deal({ spin: true }, second), await on.deal({ exit: 1 }, second)]
  await on.alice.award(one)
  await assert.rejects(on.alice.award(two), { code: 'DECLINED_BUSY' })
  assert.equal((await on.provider.works.all()).length, 1)
  assert.equal((await on.bid({}, second)).decline, 'DECLINED_BUSY')
})

test('what was refused at the award holds no place', async () => {
  await using on = await open()
  const deal = await on.deal({ spin: true }, second)
  const wrong = { ...deal, agreement: { ...deal.agreement, price: PRICE + 1n } }
  await assert.rejects(on.alice.award(wrong), { code: 'AGREEMENT_INVALID' })
  assert.deepEqual([on.provider.slots.load, await quoted(on)], [0, [0, 2]])
  await on.alice.award(deal)
})

test('a share that could not end in time behind what was awarded since its bid is declined as busy', async () => {
  await using on = await open()
  const [late, hours] = [await on.deal({ exit: 1 }, second), await on.deal({ spin: true }, hour)]
  await on.alice.award(hours)
  const finishBy = late.agreement.startBy + 3600
  const soon = {
    ...late,
    agreement: { ...late.agreement, seq: 3, owedAfter: 3n * PRICE, finishBy },
  }
  await assert.rejects(on.alice.award(soon), { code: 'DECLINED_BUSY' })
  const enough = { ...soon.agreement, finishBy: finishBy + 2 * 3600 }
  await on.alice.award({ ...soon, agreement: enough })
})

test('a deadline that leaves out the wait that was quoted breaks the rule of deadlines', async () => {
  await using on = await open()
  await on.block(hour)
  const deal = await on.deal({ exit: 1 }, second)
  const finishBy = deal.agreement.startBy + 3600
  const tight = { ...deal, agreement: { ...deal.agreement, finishBy } }
  await assert.rejects(on.alice.award(tight), { code: 'AGREEMENT_INVALID', data: { rule: 'R11' } })
  await on.alice.award(deal)
})

test('promised more cores than there are: more tasks at once, and none with more cores than the machine has', async () => {
  const resources = { cpuMillis: 3000, memoryBytes: 2 * GiB, diskBytes: 2 * GiB }
  await using on = await open({ resources, mostCpuMillis: 2000 })
  assert.deepEqual(await quoted(on), [0, 3])
  const answer = await on.alice.ask(await on.alice.offer({}, { cpuMillis: 2500 }))
  assert.deepEqual([answer.decline, answer.most?.cpuMillis], ['DECLINED_RESOURCES', 2000])
})

test('prices that follow: dearer once work runs, and dearer still while more waits', async () => {
  const { idle, queued } = FOLLOW_PERMILLE
  await using on = await open({ pricing: 'follow' })
  const price = async () => Number((await on.bid({ exit: 0 }, second)).message?.price ?? 0n)
  const asked = (permille: number) => Number((TASK_PRICE * BigInt(permille)) / 1000n)
  assert.equal(await price(), asked(idle))
  // Four tasks for the room of two.
  const deal = await on.deal({ spin: true }, hour)
  const idlePrice = (PRICE * BigInt(idle)) / 1000n
  const agreement = { ...deal.agreement, price: idlePrice, owedAfter: idlePrice }
  const { id } = await on.alice.award({ ...deal, agreement })
  while (on.provider.slots.utilisation < 1) await on.clock.advance(0)
  assert.deepEqual([on.provider.slots.load, await price()], [2, asked(queued)])
  await on.alice.cancel(id)
  assert.equal(await price(), asked(idle))
})

test('a bid says whether the image is here: not before it came, and not because of the spec', async () => {
  await using on = await open()
  const held = async (script: FakeScript) => (await on.bid(script, hour)).message?.cached
  assert.equal(await held({ exit: 7 }), false)
  const { id } = await on.alice.award(await on.deal({ exit: 7 }, hour))
  await on.alice.follow(id)
  assert.equal(await held({ exit: 7 }), true)
  assert.equal(await held({ exit: 8 }), false)
})

test('a requester gives a share the wait that its provider quoted, for its start and for its end', async () => {
  const market = new TestMarket()
  const carol = market.member()
  await using requester = await market.requester(carol)
  await using _ = await market.provider(market.member())
  const { signal } = new AbortController()
  const spec = { tasks: 2, timeoutMs: hour }
  const long = await requester.submit(await aRequest(carol, { spin: true }, { spec }), signal)
  await started(requester)
  const { id } = await requester.submit(await aRequest(carol, {}, { attempts: 1 }), signal)
  const awarded = async () => (await requester.book.sharesOf(await requester.book.get(id)))[0]
  await until(requester.book.updates, async () => (await awarded())?.state === 'running')
  const share = await awarded()
  const { message } = carol.signing.open('Agreement', fromHex(share?.agreement ?? '0x'))
  const { startBy, finishBy } = message
  // The quoted hour may have begun some seconds before the award.
  const waitS = startBy - 5 * 60 - Date.now() / 1000
  assert.ok(waitS > 3500 && waitS <= 3600, String(waitS))
  assert.equal(finishBy - startBy, 10 * 60 + 30)
  await requester.cancel(long.id)
  assert.equal((await finished(requester, id)).state, 'settled')
})
