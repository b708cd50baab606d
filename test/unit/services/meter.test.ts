import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import { pickAsk } from '../../../node/domain/offer-ask.ts'
import { second } from '../../../node/domain/units.ts'
import type { Credit } from '../../../node/services/provider/credit.ts'
import type { IntervalRecord } from '../../../node/services/provider/interval-book.ts'
import { Meter } from '../../../node/services/provider/meter.ts'
import type { WorkRecord } from '../../../node/services/provider/records.ts'
import { ShareLog } from '../../../node/services/provider/share-log.ts'
import { WorkBook } from '../../../node/services/provider/work-book.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { anOffer, bytes32Of, NOW, REQUESTER } from '../../support/messages.ts'
import { quietLogger } from '../../support/quiet-logger.ts'
import { TestMarket } from '../../support/test-market.ts'

const EVERY = 10 * second
const PRICE = 70n
const SHARE = bytes32Of('51')
const CHANNEL = bytes32Of('c1')

function idOf(number: number): Bytes32 {
  return `0x${number.toString(16).padStart(64, '0')}`
}

/** A share whose task runs until it is stopped, on a clock that is moved by hand. */
async function aMeter(store = new MemoryStore(), clock = new ManualClock(NOW)) {
  const { signing } = new TestMarket().member()
  const works = new WorkBook(store)
  await works.load()
  const work = {
    id: SHARE,
    state: 'running',
    requester: REQUESTER,
    channel: CHANNEL,
    tasks: [0],
    price: PRICE,
    ask: pickAsk(anOffer({ payEveryMs: EVERY })),
  } as unknown as WorkRecord
  await works.put(work)
  const log = new ShareLog()
  const end = new AbortController()
  const trust = { isThere: true }
  const credit = { has: () => trust.isThere } as unknown as Credit
  const parts = { clock, works, signing, credit, logger: quietLogger([]) }
  const meter = new Meter(parts, work, log, end.signal)
  const agree = async (number: number) => {
    const interval: IntervalRecord = {
      id: idOf(number),
      share: SHARE,
      number,
      requester: REQUESTER,
      channel: CHANNEL,
      seq: number,
      price: PRICE,
      state: 'agreed',
      agreement: '0x',
    }
    await works.changeIntervals(SHARE, () => [interval])
  }
  const pay = async (number: number) =>
    works.changeIntervals(SHARE, (all) =>
      all.filter((each) => each.number === number).map((each) => ({ ...each, state: 'paid' })),
    )
  let stoppedAt: number | undefined
  const untilStopped = async () => {
    await new Promise<void>((resolve) => {
      if (meter.stop.aborted) resolve()
      meter.stop.addEventListener('abort', () => resolve(), { once: true })
    })
    stoppedAt = clock.now()
  }
  const told = async () => {
    const beats: { seq: number; elapsedMs: number; closing: boolean }[] = []
    log.add({ type: 'failed', code: 'INTERRUPTED' })
    for await (const event of log.read(0, clock, new AbortController().signal)) {
      if (event.type !== 'heartbeat') continue
      const { seq, elapsedMs, closing } = signing.open('Heartbeat', event.heartbeat).message
      beats.push({ seq, elapsedMs, closing })
    }
    return beats
  }
  return {
    clock,
    works,
    meter,
    trust,
    agree,
    pay,
    told,
    run: async () => meter.during(untilStopped),
    stop: () => end.abort(),
    get ranMs() {
      return stoppedAt === undefined ? undefined : stoppedAt - NOW
    },
  }
}

test('meter: a share is told once an interval while vouchers and agreements follow, and closed to the second', async () => {
  const at = await aMeter()
  await at.agree(1)
  await at.agree(2)
  const running = at.run()
  for (let number = 1; number <= 5; number++) {
    await at.clock.advance(EVERY)
    await at.pay(number)
    await at.agree(number + 2)
  }
  await at.clock.advance(3.9 * second)
  at.stop()
  await running
  const { interval, amount } = at.meter.close()
  assert.deepEqual([interval.number, amount], [6, 3n * (PRICE / 10n)])
  const beats = [1, 2, 3, 4, 5].map((seq) => ({ seq, elapsedMs: seq * EVERY, closing: false }))
  const last = { seq: 6, elapsedMs: 5 * EVERY + 3900, closing: true }
  assert.deepEqual(await at.told(), [...beats, last])
})

test('meter: one interval after a heartbeat without a voucher the share is stopped, not before', async () => {
  const at = await aMeter()
  for (const number of [1, 2, 3, 4, 5, 6]) await at.agree(number)
  const running = at.run()
  await at.clock.advance(EVERY)
  await at.pay(1)
  await at.clock.advance(2 * EVERY - 1)
  assert.equal(at.ranMs, undefined)
  await at.clock.advance(1)
  await running
  assert.equal(at.ranMs, 3 * EVERY)
  const { interval, amount } = at.meter.close()
  assert.deepEqual([interval.number, amount], [3, PRICE])
  assert.equal(at.works.owedOn(CHANNEL), 5n * PRICE)
  assert.equal(at.works.intervals.due(SHARE).length, 2)
})

test('meter: nothing runs past the last agreement', async () => {
  const at = await aMeter()
  await at.agree(1)
  const running = at.run()
  await at.clock.advance(EVERY)
  await running
  assert.equal(at.ranMs, EVERY)
})

test('meter: who is beyond its credit window is stopped at the next heartbeat', async () => {
  const at = await aMeter()
  for (const number of [1, 2, 3, 4]) await at.agree(number)
  const running = at.run()
  await at.clock.advance(EVERY)
  await at.pay(1)
  at.trust.isThere = false
  await at.clock.advance(EVERY)
  await running
  assert.equal(at.ranMs, 2 * EVERY)
})

test('meter: over any payments, no more than two intervals are ever unpaid', async () => {
  let seed = 11
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let run = 0; run < 10; run++) {
    const at = await aMeter()
    for (let number = 1; number <= 14; number++) await at.agree(number)
    const running = at.run()
    for (let step = 0; step < 24; step++) {
      await at.clock.advance(EVERY / 2)
      const due = at.works.intervals.due(SHARE)
      assert.ok(at.works.intervals.unpaidBy(REQUESTER) <= 3n * PRICE)
      assert.ok(due.length <= 2)
      for (const { number } of due) if (random() < 0.5) await at.pay(number)
    }
    at.stop()
    await running
  }
})

test('meter: after a restart what is due is told again, and the time goes on from there', async () => {
  const store = new MemoryStore()
  const first = await aMeter(store)
  for (const number of [1, 2, 3, 4]) await first.agree(number)
  const running = first.run()
  await first.clock.advance(EVERY)
  await first.pay(1)
  await first.clock.advance(EVERY + 4 * second)
  first.stop()
  await running
  const clock = new ManualClock(NOW + 100 * EVERY)
  const again = await aMeter(store, clock)
  assert.equal(again.works.intervals.ended(SHARE), 2)
  const resumed = again.run()
  await again.pay(2)
  await clock.advance(EVERY)
  again.stop()
  await resumed
  assert.deepEqual(
    (await again.told()).map(({ seq, elapsedMs }) => [seq, elapsedMs]),
    [
      [2, 2 * EVERY],
      [3, 3 * EVERY],
    ],
  )
})

test('meter: a task that had ended before a restart is closed with what is due told first', async () => {
  const store = new MemoryStore()
  const first = await aMeter(store)
  for (const number of [1, 2, 3]) await first.agree(number)
  const running = first.run()
  await first.clock.advance(EVERY)
  first.stop()
  await running
  const again = await aMeter(store)
  assert.equal(again.meter.close().amount, 0n)
  assert.deepEqual(await again.told(), [
    { seq: 1, elapsedMs: EVERY, closing: false },
    { seq: 2, elapsedMs: EVERY, closing: true },
  ])
})
