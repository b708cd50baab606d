import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countFits, fits, NO_RESOURCES, plus } from '../../../node/domain/resources.ts'

const amounts = fc.record(
  { cpuMillis: fc.nat(64_000), memoryBytes: fc.nat(), diskBytes: fc.nat() },
  { noNullPrototype: true },
)
const needs = amounts.filter(({ cpuMillis, memoryBytes }) => cpuMillis > 0 && memoryBytes > 0)

test('countFits tells how many fit: that many do, one more does not', () => {
  fc.assert(
    fc.property(needs, amounts, (need, free) => {
      const count = countFits(need, free)
      assert.ok(fits(plus(NO_RESOURCES, need, count), free))
      assert.ok(!fits(plus(NO_RESOURCES, need, count + 1), free))
    }),
  )
})

test('an exact fit fits; one too much of anything does not', () => {
  const free = { cpuMillis: 100, memoryBytes: 200, diskBytes: 300 }
  assert.ok(fits(free, free))
  assert.ok(!fits({ ...free, cpuMillis: 101 }, free))
  assert.ok(!fits({ ...free, memoryBytes: 201 }, free))
  assert.ok(!fits({ ...free, diskBytes: 301 }, free))
})

test('nothing needed is not infinitely much work, and an overdrawn machine has room for none', () => {
  assert.equal(countFits(NO_RESOURCES, { cpuMillis: 1, memoryBytes: 1, diskBytes: 1 }), 0)
  const need = { cpuMillis: 1, memoryBytes: 1, diskBytes: 0 }
  assert.equal(countFits(need, { cpuMillis: -5, memoryBytes: 10, diskBytes: 0 }), 0)
  assert.equal(countFits(need, { cpuMillis: 5, memoryBytes: 10, diskBytes: 0 }), 5)
})

test('what is taken and given back adds up to what was there', () => {
  fc.assert(
    fc.property(amounts, amounts, (free, need) => {
      assert.deepEqual(plus(plus(free, need, -1), need), free)
    }),
  )
})

test('GPUs are counted like the rest; who has none has room for nothing that needs one', () => {
  const machine = { cpuMillis: 9, memoryBytes: 9, diskBytes: 9 }
  const need = { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, gpus: 2 }
  assert.equal(countFits(need, machine), 0)
  assert.equal(countFits(need, { ...machine, gpus: 5 }), 2)
  assert.equal(fits(need, { ...machine, gpus: 1 }), false)
  assert.equal(plus({ ...machine, gpus: 5 }, need, -2).gpus, 1)
  assert.equal('gpus' in plus(machine, machine), false)
})
