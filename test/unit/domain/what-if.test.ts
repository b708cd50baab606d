import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tallied, talliedCodes, type Decline } from '../../../node/domain/decline.ts'
import { GiB } from '../../../node/domain/units.ts'
import { whatIf, type Ask } from '../../../node/domain/what-if.ts'

const ask: Ask = { cpuMillis: 4000, memoryBytes: 24 * GiB, diskBytes: 10 * GiB, maxPrice: 100n }
const roomy = { cpuMillis: 8000, memoryBytes: 64 * GiB, diskBytes: 64 * GiB, gpus: 0 }
const tooSmall = (most: Partial<typeof roomy>, lowestPrice = 1n): Decline => ({
  code: 'DECLINED_RESOURCES',
  most: { ...roomy, ...most },
  lowestPrice,
})
const tooCheap = (lowestPrice: bigint): Decline => ({ code: 'DECLINED_PRICE', lowestPrice })
const times = (count: number, decline: Decline) => Array<Decline>(count).fill(decline)

test('what if: with 16 GiB instead of 24, five bids', () => {
  const declines = tallied(times(5, tooSmall({ memoryBytes: 16 * GiB })))
  assert.deepEqual(whatIf(ask, 0, declines), [{ change: { memoryBytes: 16 * GiB }, bids: 5 }])
})

test('what if: each step of one field brings more, and the bids that came count', () => {
  const declines = tallied([...times(2, tooCheap(150n)), ...times(3, tooCheap(120n))])
  assert.deepEqual(whatIf(ask, 1, declines), [
    { change: { maxPrice: 120n }, bids: 4 },
    { change: { maxPrice: 150n }, bids: 6 },
  ])
})

test('what if: providers that need two changes show only where both are made', () => {
  const declines = tallied([tooSmall({ memoryBytes: 8 * GiB }, 300n), tooCheap(120n)])
  assert.deepEqual(whatIf(ask, 0, declines), [
    { change: { maxPrice: 120n }, bids: 1 },
    { change: { memoryBytes: 8 * GiB, maxPrice: 300n }, bids: 2 },
  ])
})

test('what if: no change is named for what no change would do', () => {
  const hopeless: Decline[] = [
    { code: 'DECLINED_HOURS' },
    { code: 'DECLINED_KIND' },
    { code: 'DECLINED_GPU', most: { ...roomy, gpus: 0 }, lowestPrice: 1n },
    tooSmall({ memoryBytes: 0 }),
    // says that it has room for all of it, and declines: not to be built upon
    tooSmall({}),
  ]
  assert.deepEqual(whatIf({ ...ask, gpus: 1 }, 0, tallied(hopeless)), [])
})

test('what if: no disk at all is something that a job can ask for', () => {
  const declines = tallied([tooSmall({ diskBytes: 0 })])
  assert.deepEqual(whatIf(ask, 0, declines), [{ change: { diskBytes: 0 }, bids: 1 }])
})

test('what if: GPUs with 16 GiB instead of 24', () => {
  const smaller = { ...roomy, gpus: 1, gpuMemoryBytes: 16 * GiB }
  const declines = tallied(times(5, { code: 'DECLINED_GPU', most: smaller, lowestPrice: 5n }))
  assert.deepEqual(whatIf({ ...ask, gpus: 1, gpuMemoryBytes: 24 * GiB }, 0, declines), [
    { change: { gpuMemoryBytes: 16 * GiB }, bids: 5 },
  ])
})

test('what if: fewer GPUs, where there are some', () => {
  const declines = tallied([{ code: 'DECLINED_GPU', most: { ...roomy, gpus: 2 }, lowestPrice: 5n }])
  assert.deepEqual(whatIf({ ...ask, gpus: 4 }, 0, declines), [{ change: { gpus: 2 }, bids: 1 }])
})

test('what if: of many steps the nearest, and the one that brings the most', () => {
  const declines = tallied([5, 6, 7, 8, 9].map((price) => tooCheap(BigInt(price) * 100n)))
  assert.deepEqual(whatIf(ask, 0, declines), [
    { change: { maxPrice: 500n }, bids: 1 },
    { change: { maxPrice: 600n }, bids: 2 },
    { change: { maxPrice: 900n }, bids: 5 },
  ])
})

test('what if: what is promised for a change is what those it satisfies come to', () => {
  const size = fc.integer({ min: 1, max: 40 })
  const row = fc.record({ cores: size, memory: size, price: fc.bigInt({ min: 1n, max: 200n }) })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 12 }), fc.nat({ max: 5 }), (rows, bids) => {
      const declines = rows.map(({ cores, memory, price }) =>
        tooSmall({ cpuMillis: cores * 200, memoryBytes: memory * GiB }, price),
      )
      for (const { change, bids: promised } of whatIf(ask, bids, tallied(declines))) {
        const changed = { ...ask, ...change }
        const takes = declines.filter(({ most, lowestPrice = 0n }) => {
          const declinedBefore =
            most !== undefined &&
            (most.cpuMillis < ask.cpuMillis ||
              most.memoryBytes < ask.memoryBytes ||
              lowestPrice > ask.maxPrice)
          const fits =
            most !== undefined &&
            changed.cpuMillis <= most.cpuMillis &&
            changed.memoryBytes <= most.memoryBytes
          return declinedBefore && fits && lowestPrice <= changed.maxPrice
        })
        assert.equal(promised, bids + takes.length)
        assert.ok(promised > bids)
      }
    }),
  )
})

test('tally: alike declines are one row, the most frequent first', () => {
  const rows = tallied([tooCheap(7n), { code: 'DECLINED_BUSY' }, tooCheap(7n), tooCheap(8n)])
  assert.deepEqual(rows, [
    { code: 'DECLINED_PRICE', lowestPrice: 7n, count: 2 },
    { code: 'DECLINED_BUSY', count: 1 },
    { code: 'DECLINED_PRICE', lowestPrice: 8n, count: 1 },
  ])
  assert.deepEqual(talliedCodes(['BID_EXPIRED', 'BID_EXPIRED']), [
    { code: 'BID_EXPIRED', count: 2 },
  ])
})

test('tally: a thousand peers with a price of their own make few rows, and none is lost', () => {
  const rows = tallied(Array.from({ length: 1000 }, (_, at) => tooCheap(BigInt(at + 1))))
  assert.ok(rows.length <= 33)
  assert.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    1000,
  )
})
