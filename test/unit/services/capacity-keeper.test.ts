import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCORE_VALIDITY_MS, type Score } from '../../../node/domain/capacity.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { CapacityKeeper, SETTLED_MS } from '../../../node/services/capacity-keeper.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { quietLogger } from '../../support/quiet-logger.ts'

const { signal } = new AbortController()

function open() {
  const clock = new ManualClock()
  const store = new MemoryStore()
  const machine = { idle: true, fails: false, measured: 0, during: () => {} }
  const told: Score[] = []
  const keeper = (options: { cores?: number; unasked?: boolean } = {}) =>
    new CapacityKeeper(
      {
        clock,
        store,
        logger: quietLogger([]),
        isIdle: () => machine.idle,
        onScore: (score) => told.push(score),
        benchmark: {
          measure: async () => {
            machine.measured += 1
            machine.during()
            if (machine.fails) throw new HiveError('BENCHMARK_FAILED')
            return { measuredAt: clock.now(), cores: 2, fuelPerSecond: machine.measured }
          },
        },
      },
      { cores: 2, unasked: true, ...options },
    )
  return { clock, machine, told, keeper }
}

test('capacity: nothing is measured at the start, once when it has settled, and not again', async () => {
  const { clock, machine, told, keeper } = open()
  await using first = keeper()
  await first.start()
  await clock.advance(SETTLED_MS - 1)
  assert.equal(machine.measured, 0)
  await clock.advance(1)
  assert.deepEqual([machine.measured, told.length], [1, 1])
  await clock.advance(10 * SETTLED_MS)
  assert.equal(machine.measured, 1)
})

test('capacity: what was kept counts at the next start; another machine, or a week later, is measured', async () => {
  const { clock, machine, told, keeper } = open()
  await using first = keeper({ unasked: false })
  await first.start()
  await first.measure(signal)
  await using second = keeper()
  await second.start()
  assert.deepEqual(second.score, told[0])
  await clock.advance(2 * SETTLED_MS)
  assert.equal(machine.measured, 1)
  await using other = keeper({ cores: 4 })
  await other.start()
  assert.equal(other.score, undefined)
  await clock.advance(SCORE_VALIDITY_MS)
  assert.ok(machine.measured >= 2)
})

test('capacity: a busy node is not measured until it is idle, and says so when asked', async () => {
  const { clock, machine, keeper } = open()
  machine.idle = false
  await using busy = keeper()
  await busy.start()
  await clock.advance(3 * SETTLED_MS)
  await assert.rejects(busy.measure(signal), { code: 'BENCHMARK_BUSY' })
  assert.equal(machine.measured, 0)
  machine.idle = true
  await clock.advance(SETTLED_MS)
  assert.equal(machine.measured, 1)
})

test('capacity: figures that a task had its part in are dropped', async () => {
  const { machine, told, keeper } = open()
  await using one = keeper({ unasked: false })
  machine.during = () => (machine.idle = false)
  await assert.rejects(one.measure(signal), { code: 'BENCHMARK_BUSY' })
  assert.deepEqual([told.length, one.score, one.measuring], [0, undefined, false])
})

test('capacity: a machine that cannot be measured is not tried every minute', async () => {
  const { clock, machine, keeper } = open()
  machine.fails = true
  await using one = keeper()
  await one.start()
  await clock.advance(30 * SETTLED_MS)
  assert.equal(machine.measured, 1)
  await clock.advance(60 * SETTLED_MS)
  assert.equal(machine.measured, 2)
})

test('capacity: two measurements at once would measure each other', async () => {
  const { keeper } = open()
  await using one = keeper({ unasked: false })
  const first = one.measure(signal)
  await assert.rejects(one.measure(signal), { code: 'BENCHMARK_BUSY' })
  await first
})
