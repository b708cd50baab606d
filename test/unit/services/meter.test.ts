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
import { collect } from '../../support/collect.ts'
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

/** A share whose task runs until it is stopped, on a clock that is moved by hand; its requester listens until it leaves. */
async function aMeter(store = new MemoryStore(), clock = new ManualClock(NOW), everyMs = EVERY) {
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
    ask: pickAsk(anOffer({ payEveryMs: everyMs })),
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
  let leave = () => {}
  const listen = () => {
    const left = new AbortController()
    leave = () => left.abort()
    void collect(log.read(0, clock, left.signal))
  }
  listen()
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
    listen,
    leave: () => leave(),
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

test('meter: a share whose voucher does not follow its heartbeat in half an interval is stopped, not before', async () => {
  const at = await aMeter()
  for (const number of [1, 2, 3, 4, 5, 6]) await at.agree(number)
  const running = at.run()
  await at.clock.advance(EVERY)
  await at.pay(1)
  await at.clock.advance(EVERY + EVERY / 2 - 1)
  assert.equal(at.ranMs, undefined)
  await at.clock.advance(1)
  await running
  assert.equal(at.ranMs, 2 * EVERY + EVERY / 2)
  const { interval, amount } = at.meter.close()
  assert.deepEqual([interval.number, amount], [2, PRICE])
  assert.equal(at.works.intervals.due(SHARE).length, 1)
  assert.deepEqual(
    (await at.told()).map(({ seq }) => seq),
    [1, 2],
  )
})

/** Whose first timer over a second goes off late, as timers do. */
class LateClock extends ManualClock {
  #lateMs = 3

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms !== second) return super.sleep(ms, signal)
    const lateMs = this.#lateMs
    this.#lateMs = 0
    return super.sleep(ms + lateMs, signal)
  }
}

test('meter: an interval is not told on top of an unpaid one, though the voucher may take all of it and was asked for late', async () => {
  const at = await aMeter(new MemoryStore(), new LateClock(NOW), second)
  for (const number of [1, 2, 3, 4]) await at.agree(number)
  const running = at.run()
  await at.clock.advance(3 * second)
  await running
  assert.equal(at.works.intervals.due(SHARE).length, 1)
  assert.equal(at.ranMs, 2 * second)
})

test('meter: a share is stopped within an interval of when its requester died, with one interval unpaid', async () => {
  for (const afterMs of [0, 1 * second, 4 * second, 9.9 * second]) {
    const at = await aMeter()
    for (const number of [1, 2, 3, 4]) await at.agree(number)
    const running = at.run()
    await at.clock.advance(EVERY)
    await at.pay(1)
    await at.clock.advance(afterMs)
    at.leave()
    const diedAt = at.clock.now() - NOW
    await at.clock.advance(2 * EVERY)
    await running
    assert.ok((at.ranMs ?? Infinity) <= diedAt + EVERY, `${at.ranMs} after ${diedAt}`)
    assert.equal(at.works.intervals.due(SHARE).length, 1)
  }
})

test('meter: a requester that was gone for less than half an interval pays on, whenever that was', async () => {
  for (const afterMs of [0, 1 * second, 4 * second, 9.9 * second]) {
    const at = await aMeter()
    for (const number of [1, 2, 3, 4]) await at.agree(number)
    const running = at.run()
    await at.clock.advance(EVERY)
    await at.pay(1)
    await at.clock.advance(afterMs)
    at.leave()
    await at.clock.advance(4.9 * second)
    at.listen()
    if (at.works.intervals.due(SHARE).length > 0) await at.pay(2)
    await at.clock.advance(5.1 * second - afterMs + 4 * second)
    assert.equal(at.ranMs, undefined, `${afterMs} ms after it had paid`)
    at.stop()
    await running
  }
})

test('meter: a share that nobody ever listened to is stopped when its first interval has run', async () => {
  const at = await aMeter()
  at.leave()
  for (const number of [1, 2, 3]) await at.agree(number)
  const running = at.run()
  await at.clock.advance(2 * EVERY)
  await running
  assert.equal(at.ranMs, EVERY)
  assert.equal(at.works.intervals.due(SHARE).length, 1)
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

test('meter: over any payments and absences, no more than one interval and half of the next are ever unpaid', async () => {
  let seed = 11
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let run = 0; run < 20; run++) {
    const at = await aMeter()
    for (let number = 1; number <= 14; number++) await at.agree(number)
    let paid = 0
    const running = at.run()
    for (let step = 0; step < 48 && at.ranMs === undefined; step++) {
      await at.clock.advance(EVERY / 4)
      const due = at.works.intervals.due(SHARE)
      assert.ok(due.length <= 1)
      const ranMs = at.ranMs ?? at.clock.now() - NOW
      assert.ok(ranMs - paid * EVERY <= EVERY + EVERY / 2, `${ranMs} ms for ${paid} intervals`)
      if (random() < 0.2) at.leave()
      if (random() < 0.2) at.listen()
      for (const { number } of due) {
        if (random() < 0.4) continue
        await at.pay(number)
        paid = number
      }
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
