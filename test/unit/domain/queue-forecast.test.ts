import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  delaysNobody,
  endAfter,
  roomAfter,
  startsOf,
  type TaskLot,
} from '../../../node/domain/queue-forecast.ts'
import { hour, second } from '../../../node/domain/units.ts'

const cores = (cpuMillis: number) => ({ cpuMillis, memoryBytes: 1, diskBytes: 1 })
const lot = (cpuMillis: number, ms: number, count = 1): TaskLot => ({
  need: cores(cpuMillis),
  count,
  ms,
})
/** A machine of so many cores, with this running on it. */
const machine = (total: number, ...running: readonly TaskLot[]) => {
  const used = running.reduce((sum, { need, count }) => sum + need.cpuMillis * count, 0)
  return { free: { cpuMillis: total - used, memoryBytes: 1000, diskBytes: 1000 }, running }
}

test('an idle machine has room at once for as many as fit', () => {
  assert.deepEqual(roomAfter(machine(4), [], lot(1, second, 10), 4), { etaMs: 0, capacity: 4 })
  assert.deepEqual(roomAfter(machine(4), [], lot(1, second), 3), { etaMs: 0, capacity: 3 })
  assert.equal(roomAfter(machine(4), [], lot(5, second), 4), undefined)
})

test('a short task behind a hundred of an hour is told a hundred hours, not a second', () => {
  const ahead = [lot(1, hour, 99)]
  const room = roomAfter(machine(1, lot(1, hour)), ahead, lot(1, second), 1)
  assert.deepEqual(room, { etaMs: 100 * hour, capacity: 1 })
})

test('what is scarce decides: memory as well as cores', () => {
  const large = { cpuMillis: 1, memoryBytes: 600, diskBytes: 1 }
  const load = {
    free: { ...cores(7), memoryBytes: 400 },
    running: [{ need: large, count: 1, ms: 50 }],
  }
  assert.deepEqual(roomAfter(load, [], { need: large, count: 1, ms: 1 }, 1), {
    etaMs: 50,
    capacity: 1,
  })
})

test('a little room now or more of it later: whichever has all tasks done sooner', () => {
  const busy = (ms: number) => machine(8, lot(7, ms))
  const eight = lot(1, hour, 8)
  assert.deepEqual(roomAfter(busy(60 * second), [], eight, 8), { etaMs: 60 * second, capacity: 8 })
  assert.deepEqual(roomAfter(busy(24 * hour), [], eight, 8), { etaMs: 0, capacity: 1 })
  assert.deepEqual(roomAfter(busy(60 * second), [], lot(1, hour), 8), { etaMs: 0, capacity: 1 })
})

test('a task that may pass ends before those ahead can start, or leaves them their room', () => {
  const half = machine(4, lot(2, 100))
  const whole = [lot(4, 50)]
  assert.equal(delaysNobody(half, whole, lot(2, 100)), true)
  assert.equal(delaysNobody(half, whole, lot(2, 101)), false)
  const three = [lot(3, 50)]
  assert.equal(delaysNobody(half, three, lot(1, 24 * hour)), true)
  assert.equal(delaysNobody(half, three, lot(2, 24 * hour)), false)
  // The second in line is protected as much as the first.
  const both = [lot(3, 50), lot(1, 50)]
  assert.equal(delaysNobody(half, both, lot(1, 24 * hour)), false)
  assert.equal(delaysNobody(half, both, lot(1, 100)), true)
})

test('a task too large for the machine holds up nobody', () => {
  const lots = [lot(9, second), lot(4, second)]
  assert.deepEqual(startsOf(machine(4), lots), [Infinity, 0])
  assert.equal(endAfter(machine(4), [], lot(9, second)), Infinity)
})

const lots = fc.array(
  fc.record({
    need: fc.record({
      cpuMillis: fc.integer({ min: 1, max: 8 }),
      memoryBytes: fc.integer({ min: 1, max: 8 }),
      diskBytes: fc.constant(1),
    }),
    count: fc.integer({ min: 1, max: 5 }),
    ms: fc.integer({ min: 1, max: 100 }),
  }),
  { maxLength: 12 },
)

test('starts: in order, and never later than if everything ran one after another', () => {
  fc.assert(
    fc.property(lots, (line) => {
      const free = { cpuMillis: 8, memoryBytes: 8, diskBytes: 8 }
      const starts = startsOf({ free, running: [] }, line)
      let serial = 0
      for (const [at, { count, ms }] of line.entries()) {
        const start = starts[at] ?? NaN
        assert.ok(start >= (starts[at - 1] ?? 0))
        assert.ok(start <= serial + (count - 1) * ms)
        serial += count * ms
      }
    }),
  )
})

test('whatever room is quoted, all tasks end within it at its capacity, though each takes all its time', () => {
  fc.assert(
    fc.property(lots, lots, (running, line) => {
      const total = { cpuMillis: 400, memoryBytes: 400, diskBytes: 400 }
      const used = running.reduce((sum, { need, count }) => sum + need.cpuMillis * count, 0)
      const memory = running.reduce((sum, { need, count }) => sum + need.memoryBytes * count, 0)
      const free = {
        cpuMillis: Math.min(8, total.cpuMillis - used),
        memoryBytes: Math.min(8, total.memoryBytes - memory),
        diskBytes: 400,
      }
      const own = line.at(-1) ?? { need: cores(1), count: 1, ms: 1 }
      const ahead = line.slice(0, -1)
      const room = roomAfter({ free, running }, ahead, own, 100)
      assert.ok(room !== undefined)
      const by = room.etaMs + Math.ceil(own.count / room.capacity) * own.ms
      assert.ok(endAfter({ free, running }, ahead, own) <= by)
    }),
  )
})
