import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allEnded } from '../../../node/services/all-ended.ts'
import { Feed } from '../../../node/services/feed.ts'
import { KeyedLock } from '../../../node/services/keyed-lock.ts'
import { mapLimited } from '../../../node/services/limited.ts'
import { ShareLog } from '../../../node/services/provider/share-log.ts'
import { Slots } from '../../../node/services/provider/slots.ts'
import { TasksInFlight } from '../../../node/services/tasks-in-flight.ts'
import { MAX_LOG_BYTES } from '../../../node/protocol/share-events.ts'
import { collect } from '../../support/collect.ts'
import { aShareId, aShareNeed, bookedTask } from '../../support/booked-task.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const ONE = { cpuMillis: 1, memoryBytes: 1, diskBytes: 1 }
const never = new AbortController().signal
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('all ended: the failure comes only when the others have ended', async () => {
  const other = Promise.withResolvers<number>()
  let failed = false
  const all = allEnded([Promise.reject(new RangeError('first')), other.promise])
  const watched = all.catch(() => (failed = true))
  await turn()
  assert.equal(failed, false)
  other.resolve(1)
  await watched
  await assert.rejects(all, RangeError)
})

test('mapping with a limit: never more at once, results in order', async () => {
  let running = 0
  let most = 0
  const items = Array.from({ length: 20 }, (_, at) => at)
  const doubled = await mapLimited(items, 3, async (item) => {
    most = Math.max(most, ++running)
    await turn()
    running--
    return item * 2
  })
  assert.equal(most, 3)
  assert.deepEqual(
    doubled,
    items.map((item) => item * 2),
  )
  assert.deepEqual(await mapLimited([], 3, async () => 1), [])
})

test('mapping with a limit: after a failure nothing new starts, and what runs is waited for', async () => {
  const slow = Promise.withResolvers<void>()
  const begun: number[] = []
  let ended = false
  const all = mapLimited([0, 1, 2, 3], 2, async (item) => {
    begun.push(item)
    if (item === 0) throw new RangeError('no')
    await slow.promise
  })
  const watched = all.catch(() => (ended = true))
  await turn()
  assert.deepEqual([begun, ended], [[0, 1], false])
  slow.resolve()
  await watched
  assert.deepEqual(begun, [0, 1])
  await assert.rejects(all, RangeError)
})

test('a lock runs work of one key in order, of different keys at once, and survives failures', async () => {
  const lock = new KeyedLock()
  const order: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = lock.run('a', async () => {
    await gate.promise
    order.push('a1')
    throw new RangeError('fails')
  })
  const second = lock.run('a', async () => order.push('a2'))
  await lock.run('b', async () => order.push('b1'))
  gate.resolve()
  await assert.rejects(first, RangeError)
  await second
  assert.deepEqual(order, ['b1', 'a1', 'a2'])
})

test('background work is waited for, also what it started, and its failure reaches its owner', async () => {
  const work = new TasksInFlight()
  const done: string[] = []
  const errors: unknown[] = []
  const start = (name: string, next?: () => void) =>
    work.start(
      async () => {
        await turn()
        done.push(name)
        next?.()
      },
      (error) => errors.push(error),
    )
  start('outer', () => start('inner'))
  work.start(
    async () => Promise.reject(new RangeError('no')),
    (error) => errors.push(error),
  )
  await work.settled()
  assert.deepEqual(done, ['outer', 'inner'])
  assert.ok(errors.length === 1 && errors[0] instanceof RangeError)
})

test('a feed gives each reader what came after it asked, until it leaves', async () => {
  const feed = new Feed<number>()
  const control = new AbortController()
  feed.publish(0)
  const early = feed.subscribe(control.signal)
  feed.publish(1)
  const late = feed.subscribe(control.signal)
  feed.publish(2)
  const read = async (events: AsyncIterable<number>, count: number) => {
    const got: number[] = []
    for await (const event of events) if (got.push(event) === count) break
    return got
  }
  assert.deepEqual(await Promise.all([read(early, 2), read(late, 1)]), [[1, 2], [2]])
  const third = feed.subscribe(control.signal)
  control.abort()
  feed.publish(3)
  assert.deepEqual(await collect(third), [])
  assert.deepEqual(await collect(feed.subscribe(control.signal)), [])
})

test('a reader that falls behind loses the oldest events, not the newest', async () => {
  const feed = new Feed<number>(3)
  const control = new AbortController()
  const events = feed.subscribe(control.signal)
  for (let event = 0; event < 10; event++) feed.publish(event)
  const got: number[] = []
  for await (const event of events) if (got.push(event) === 3) break
  assert.deepEqual(got, [7, 8, 9])
})

test('slots: first come first served; who leaves the queue does not hold up the others', async () => {
  const slots = new Slots(new ManualClock(), { cpuMillis: 2, memoryBytes: 10, diskBytes: 10 })
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const use = async (name: string, cpuMillis: number, signal = never, mostMs = 1000) =>
    bookedTask(slots, aShareNeed({ ...ONE, cpuMillis }, { mostMs }), signal, async () => {
      order.push(name)
      await gate.promise
    })
  const leaving = new AbortController()
  const first = use('first', 1)
  const big = use('big', 2, leaving.signal)
  const small = use('small', 1, never, 1001)
  await turn()
  assert.deepEqual([order, slots.waiting, slots.utilisation], [['first'], 2, 0.5])
  leaving.abort(new RangeError('left'))
  await assert.rejects(big, RangeError)
  await turn()
  assert.deepEqual([order, slots.waiting], [['first', 'small'], 0])
  gate.resolve()
  await Promise.all([first, small])
  assert.deepEqual(slots.free, slots.total)
})

test('slots: what fails gives its room back; who is gone already never starts', async () => {
  const slots = new Slots(new ManualClock(), ONE)
  const share = aShareNeed(ONE)
  await assert.rejects(
    bookedTask(slots, share, never, async () => Promise.reject(new RangeError('no'))),
    RangeError,
  )
  assert.deepEqual(slots.free, ONE)
  const gone = AbortSignal.abort(new RangeError('gone'))
  await assert.rejects(
    bookedTask(slots, share, gone, async () => assert.fail('started')),
    RangeError,
  )
})

test('a share’s log: beats while nothing happens, every event once, an end after the last', async () => {
  const clock = new ManualClock()
  const log = new ShareLog()
  log.add({ type: 'started', index: 0 })
  const reading = collect(log.read(0, clock, never))
  await clock.advance(2000)
  await clock.advance(2000)
  log.add({ type: 'failed', code: 'INTERRUPTED' })
  log.add({ type: 'started', index: 1 })
  const types = (await reading).map(({ type }) => type)
  assert.deepEqual(types, ['started', 'beat', 'beat', 'failed'])
  assert.equal(log.closed, true)
  assert.equal(clock.sleeping, 0)
})

test('a share’s log after a restart: who counted before hears so and then everything; who did not goes on', async () => {
  const log = new ShareLog(2)
  log.add({ type: 'started', index: 0 })
  log.add({ type: 'failed', code: 'INTERNAL' })
  const types = async (from: number, life?: number) =>
    (await collect(log.read(from, new ManualClock(), never, life))).map(({ type }) => type)
  assert.deepEqual(await types(7), ['restarted', 'started', 'failed'])
  assert.deepEqual(await types(7, 1), ['restarted', 'started', 'failed'])
  assert.deepEqual(await types(1, 2), ['failed'])
  await log.followed
})

test('slots: what runs already takes its room though there is none, and gives it back', async () => {
  const slots = new Slots(new ManualClock(), ONE)
  const share = aShareNeed(ONE)
  const gate = Promise.withResolvers<void>()
  const first = bookedTask(slots, share, never, async () => gate.promise)
  await turn()
  const left = aShareId()
  using _place = slots.book(left, share)
  const second = slots.occupy(left, async () => gate.promise)
  assert.equal(slots.utilisation, 1)
  let hasStarted = false
  const third = bookedTask(slots, share, never, async () => {
    hasStarted = true
  })
  gate.resolve()
  await Promise.all([first, second])
  await third
  assert.equal(hasStarted, true)
  assert.deepEqual(slots.free, slots.total)
})

test('a share’s log: long output comes in pieces that fit, up to a total', async () => {
  const log = new ShareLog()
  log.addOutput(0, 1, new Uint8Array(2.5 * MAX_LOG_BYTES))
  for (let more = 0; more < 20; more++) log.addOutput(0, 1, new Uint8Array(2 ** 20))
  log.add({ type: 'failed', code: 'INTERNAL' })
  const events = await collect(log.read(0, new ManualClock(), never))
  const sizes = events.flatMap((event) => (event.type === 'log' ? [event.bytes.byteLength] : []))
  assert.deepEqual(sizes.slice(0, 3), [MAX_LOG_BYTES, MAX_LOG_BYTES, MAX_LOG_BYTES])
  const total = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(total <= 16 * 2 ** 20 + MAX_LOG_BYTES, String(total))
})
