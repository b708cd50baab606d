import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { fits, plus, type Resources } from '../../../node/domain/resources.ts'
import { minute } from '../../../node/domain/units.ts'
import { Slots } from '../../../node/services/provider/slots.ts'
import { aShareId, aShareNeed, bookedTask } from '../../support/booked-task.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const cores = (cpuMillis: number) => ({ cpuMillis, memoryBytes: 1, diskBytes: 1 })
const MACHINE = { cpuMillis: 4, memoryBytes: 100, diskBytes: 100 }
const never = new AbortController().signal

/** A machine on which tasks take the time that they are given. */
function aMachine() {
  const clock = new ManualClock()
  const slots = new Slots(clock, MACHINE)
  const started: string[] = []
  const run = (name: string, cpuMillis: number, mostMs: number, takesMs = mostMs) => {
    const share = aShareNeed(cores(cpuMillis), { mostMs })
    return bookedTask(slots, share, never, async () => {
      started.push(name)
      await clock.sleep(takesMs, never)
    })
  }
  return { clock, slots, started, run }
}

test('a short task goes before its turn while a large one waits; a long one does not', async () => {
  const { clock, started, run } = aMachine()
  const all = [run('running', 2, minute), run('large', 4, minute)]
  all.push(run('long', 1, 10 * minute), run('short', 1, minute))
  await turn()
  assert.deepEqual(started, ['running', 'short'])
  await clock.advance(minute)
  assert.deepEqual(started, ['running', 'short', 'large'])
  await clock.advance(minute)
  assert.equal(started.at(-1), 'long')
  await clock.advance(10 * minute)
  await Promise.all(all)
})

test('however many short tasks come, a large one starts when it was to be expected', async () => {
  const { clock, slots, started, run } = aMachine()
  const all = [run('running', 2, 10 * minute)]
  const forecast = slots.roomFor(aShareNeed(cores(4)))
  assert.equal(forecast?.etaMs, 10 * minute)
  all.push(run('large', 4, minute))
  for (let at = 0; at < 10; at++) {
    for (const name of ['a', 'b', 'c']) all.push(run(name, 1, 3 * minute))
    await clock.advance(minute)
  }
  assert.equal(started.indexOf('large'), started.length - 1)
  assert.ok(started.length > 6, 'others went before it meanwhile')
  await clock.advance(60 * minute)
  await Promise.all(all)
})

test('a share whose tasks are still to come keeps its place, but no room', async () => {
  const { clock, slots, started, run } = aMachine()
  const early = aShareId()
  using _place = slots.book(early, aShareNeed(cores(4), { tasks: 2 }))
  assert.deepEqual([slots.waiting, slots.load], [1, 2])
  const first = run('first', 4, minute)
  const second = run('second', 4, minute)
  await turn()
  assert.deepEqual(started, ['first'])
  const came = slots.use(early, never, async () => started.push('early'))
  await clock.advance(minute)
  await came
  assert.deepEqual(started, ['first', 'early', 'second'])
  await clock.advance(minute)
  await Promise.all([first, second])
})

test('a task that turns out not to run any more is still to come, and waits for room as before', async () => {
  const { slots } = aMachine()
  const id = aShareId()
  using _place = slots.book(id, aShareNeed(cores(4), { tasks: 2 }))
  const lost = await slots.occupy(id, async () => Promise.resolve(undefined))
  assert.deepEqual([lost, slots.waiting, slots.load], [undefined, 1, 2])
  const ran = await slots.occupy(id, async () => Promise.resolve('it ran'))
  assert.deepEqual([ran, slots.waiting, slots.load], ['it ran', 0, 1])
})

test('a task that outruns what was expected is given twice as long each time, and never more than it may take', async () => {
  const { clock, slots } = aMachine()
  const share = aShareNeed(cores(4), { mostMs: 10 * minute, expectedMs: () => minute })
  const end = Promise.withResolvers<void>()
  const running = bookedTask(slots, share, never, async () => end.promise)
  const waits: (number | undefined)[] = []
  for (const ms of [0, minute - 1, 1, minute, 2 * minute, 4 * minute, 4 * minute]) {
    await clock.advance(ms)
    waits.push(slots.roomFor(share)?.etaMs)
  }
  assert.deepEqual(waits, [minute, 1, minute, 2 * minute, 4 * minute, 2 * minute, 1])
  end.resolve()
  await running
})

test('what is expected follows what is learned: a wait becomes shorter as soon as tasks show to be short', async () => {
  const clock = new ManualClock()
  const slots = new Slots(clock, MACHINE)
  let expected = 60 * minute
  const share = aShareNeed(cores(4), { tasks: 10, mostMs: 60 * minute, expectedMs: () => expected })
  using _place = slots.book(aShareId(), share)
  assert.equal(slots.roomFor(aShareNeed(cores(4)))?.etaMs, 600 * minute)
  expected = minute
  assert.equal(slots.roomFor(aShareNeed(cores(4)))?.etaMs, 10 * minute)
  // Only what has been awarded counts as taking all its time when a share's own end is asked for.
  assert.equal(slots.endOf(share), 10 * minute + 600 * minute)
})

test('any work: never more than the machine has, and everybody starts by when it was forecast on its coming', async () => {
  const jobs = fc.array(
    fc.record({
      afterMs: fc.nat(20),
      need: fc.record({
        cpuMillis: fc.integer({ min: 1, max: 4 }),
        memoryBytes: fc.integer({ min: 1, max: 4 }),
        diskBytes: fc.constant(0),
      }),
      ms: fc.integer({ min: 1, max: 60 }),
    }),
    { minLength: 1, maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(jobs, async (wanted) => {
      const total: Resources = { cpuMillis: 4, memoryBytes: 4, diskBytes: 0 }
      const clock = new ManualClock(0)
      const slots = new Slots(clock, total)
      let used: Resources = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0 }
      let begun = 0
      const all: Promise<void>[] = []
      for (const { afterMs, need, ms } of wanted) {
        await clock.advance(afterMs)
        const share = aShareNeed(need, { mostMs: ms })
        const forecast = clock.now() + (slots.roomFor(share)?.etaMs ?? NaN)
        const task = async () => {
          used = plus(used, need)
          begun++
          assert.ok(fits(used, total), 'more than there is')
          assert.ok(clock.now() <= forecast, `${clock.now()} is after ${forecast}`)
          await clock.sleep(ms, never)
          used = plus(used, need, -1)
        }
        all.push(bookedTask(slots, share, never, task))
      }
      await clock.advance(60 * 25)
      await Promise.all(all)
      assert.equal(begun, wanted.length)
      assert.deepEqual([slots.free, slots.waiting, slots.load], [total, 0, 0])
    }),
    { numRuns: 60 },
  )
})
