import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHours, type HourWindow } from '../../../node/domain/hours.ts'
import type { DeclineCode } from '../../../node/domain/decline-errors.ts'
import { GiB, hour, minute } from '../../../node/domain/units.ts'
import type { PolicyOptions } from '../../../node/services/provider/policy-options.ts'
import type { ProviderOptions } from '../../../node/services/provider/provider-options.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { FakeMachineState } from '../../support/fake-machine-state.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { aRequest, finished, TASK_PRICE, TestMarket } from '../../support/test-market.ts'

/** One provider with a policy, and a requester that asks it by hand. */
async function dealing(
  policy: (on: { requester: string; peer: string }) => Partial<PolicyOptions>,
  options: Partial<ProviderOptions> = {},
) {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const { address: requester, peer } = alice.member.signing
  const clock = new ManualClock(Date.now())
  const machine = new FakeMachineState(clock)
  const provider = await market.provider(
    market.member(),
    { policy: policy({ requester, peer }), ...options },
    { machine, clock },
  )
  const answer = async (...args: Parameters<typeof alice.offer>) =>
    (await alice.ask(await alice.offer(...args))).decline
  return {
    alice,
    clock,
    machine,
    provider,
    answer,
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

test('a requester is known by its address and by its peer id alike', async () => {
  for (const name of ['requester', 'peer'] as const) {
    await using on = await dealing((who) => ({ requesters: { allow: [], deny: [who[name]] } }))
    assert.equal(await on.answer(), 'DECLINED_REQUESTER')
  }
})

test('a program is known by its CID, and each has its own', async () => {
  const market = new TestMarket()
  const cid = await market.member().blobs.add(fakeImage({ stdout: 'wanted' }))
  await using on = await dealing(() => ({ images: { allow: [cid], deny: [] } }))
  assert.equal(await on.answer({ stdout: 'wanted' }), undefined)
  assert.equal(await on.answer({ stdout: 'other' }), 'DECLINED_IMAGE')
})

test('more disk than its engine gives a task is declined, and what it gives is told', async () => {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const sandboxes = [{ ...createFakeSandbox(), maxDiskBytes: 1 * GiB }]
  await using _ = await market.provider(market.member(), {}, { sandboxes })
  const asking = async (diskBytes: number) => alice.ask(await alice.offer({}, { diskBytes }))
  assert.equal((await asking(1 * GiB)).decline, undefined)
  const { decline, most } = await asking(1 * GiB + 1)
  assert.equal(decline, 'DECLINED_RESOURCES')
  assert.equal(most?.diskBytes, 1 * GiB)
})

test('the bid is never below the least price of its kind', async () => {
  await using on = await dealing(() => ({ leastPrices: { wasm: 5n * TASK_PRICE } }))
  const answer = await on.alice.ask(await on.alice.offer())
  const { message } = on.alice.member.signing.open('Bid', answer.bid ?? new Uint8Array())
  assert.equal(message.price, 5n * TASK_PRICE)
  const poor = await on.alice.ask(await on.alice.offer({}, { maxPrice: 5n * TASK_PRICE - 1n }))
  assert.deepEqual([poor.decline, poor.lowestPrice], ['DECLINED_PRICE', 5n * TASK_PRICE])
})

test('too large a job hears what the most is', async () => {
  await using on = await dealing(() => ({}))
  const answer = await on.alice.ask(await on.alice.offer({}, { cpuMillis: 3000 }))
  assert.equal(answer.decline, 'DECLINED_RESOURCES')
  assert.equal(answer.most?.cpuMillis, 2000)
  assert.equal(answer.lowestPrice, TASK_PRICE)
})

/** From one hour of the day, so far from this one, to another, in UTC. */
function hoursFromNow(from: number, to: number): HourWindow {
  const clock = (hours: number) =>
    `${new Date(Date.now() + hours * hour).toISOString().slice(11, 13)}:00`
  const window = parseHours(`${clock(from)}-${clock(to)}`)
  assert.ok(window)
  return window
}

test('what passes is looked at for every offer: hours, power, use', async () => {
  const policy = { pauseOnBattery: true, pauseWhenActiveMs: 5 * minute }
  await using on = await dealing(() => policy)
  assert.equal(await on.answer(), undefined)
  await on.machine.use()
  assert.equal(await on.answer(), 'DECLINED_IN_USE')
  await on.clock.advance(6 * minute)
  const later = { issuedAt: on.clock.now(), bidsUntil: on.clock.now() + minute }
  assert.equal(await on.answer({}, later), undefined)
  await on.machine.unplug()
  assert.equal(await on.answer({}, later), 'DECLINED_POWER')
  await on.machine.plugIn()
  assert.equal(await on.answer({}, later), undefined)
  for (const [hours, code] of [
    [hoursFromNow(-1, 2), undefined],
    [hoursFromNow(3, 5), 'DECLINED_HOURS'],
  ] as const) {
    await using other = await dealing(() => ({ hours: [hours], timeZone: 'UTC' }))
    assert.equal(await other.answer(), code)
  }
})

test('an award is judged again: what changed since the bid ends it by name, and it can be tried later', async () => {
  await using on = await dealing(() => ({ pauseOnBattery: true }))
  const deal = await on.alice.deal({ stdout: 'done' })
  await on.machine.unplug()
  const declined: DeclineCode = 'DECLINED_POWER'
  await assert.rejects(on.alice.award(deal), { code: declined })
  await on.machine.plugIn()
  const { id } = await on.alice.award(deal)
  assert.equal((await on.alice.follow(id)).at(-1)?.type, 'receipt')
})

test('a pause is told to the operator too, and its end', async () => {
  await using on = await dealing(() => ({ pauseOnBattery: true }))
  const shown = [await on.provider.admission.pausedBy()]
  await on.machine.unplug()
  shown.push(await on.provider.admission.pausedBy())
  await on.machine.plugIn()
  shown.push(await on.provider.admission.pausedBy())
  assert.deepEqual(shown, [undefined, 'DECLINED_POWER', undefined])
})

test('where use counts, the machine is looked at between offers too; elsewhere never', async () => {
  const lookedAt = async (policy: Partial<PolicyOptions>) => {
    let looks = 0
    const clock = new ManualClock()
    const machine = {
      read: async () => {
        looks += 1
        return { onBattery: false, idleMs: undefined }
      },
    }
    const market = new TestMarket()
    await using _ = await market.provider(market.member(), { policy }, { machine, clock })
    await clock.advance(5 * minute)
    return looks
  }
  assert.ok((await lookedAt({ pauseWhenActiveMs: minute })) > 5)
  assert.equal(await lookedAt({ pauseOnBattery: true }), 0)
})

test('what runs when the pause begins goes on to its end', async () => {
  await using on = await dealing(() => ({ pauseOnBattery: true }))
  const { id } = await on.alice.award(await on.alice.deal({ stdout: 'done', sleepMs: 100 }))
  await on.machine.unplug()
  assert.equal((await on.alice.follow(id)).at(-1)?.type, 'receipt')
  assert.equal(await on.answer(), 'DECLINED_POWER')
})

test('who declines at the award leaves its tasks to the next bidder, and why is kept with the job', async () => {
  const market = new TestMarket()
  const alice = market.member()
  let looks = 0
  const unpluggedAfterItsBid = { read: async () => ({ onBattery: looks++ > 0, idleMs: undefined }) }
  await using requester = await market.requester(alice)
  await using _cheap = await market.provider(
    market.member(),
    { policy: { pauseOnBattery: true } },
    { machine: unpluggedAfterItsBid },
  )
  const policy = { leastPrices: { wasm: 2n * TASK_PRICE } }
  await using _dear = await market.provider(market.member(), { policy })
  const { signal } = new AbortController()
  const { id } = await requester.submit(await aRequest(alice, {}), signal)
  const job = await finished(requester, id)
  assert.equal(job.state, 'settled')
  const [answers] = job.answers ?? []
  assert.deepEqual(
    [answers?.bids, answers?.placed, answers?.refusals],
    [2, 1, [{ code: 'DECLINED_POWER', count: 1 }]],
  )
})
