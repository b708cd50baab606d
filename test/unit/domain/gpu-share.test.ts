import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GPU_VENDORS, type GpuNeed } from '../../../node/domain/gpu-need.ts'
import {
  chooseGpus,
  countGpuTasks,
  promisedOf,
  type GpuUse,
} from '../../../node/domain/gpu-share.ts'
import { GiB } from '../../../node/domain/units.ts'

const use = (
  id: string,
  gib: number,
  tasks = 0,
  vendor: GpuUse['device']['vendor'] = 'nvidia',
) => ({
  device: { vendor, id, memoryBytes: gib * GiB },
  tasks,
})
const chosen = (uses: readonly GpuUse[], need: GpuNeed, share = 1) =>
  chooseGpus(uses, need, share)?.map(({ id }) => id)

test('the smallest GPU that does is chosen, and a large one is left for who needs it', () => {
  const uses = [use('h100', 80), use('l4', 24), use('t4', 16)]
  assert.deepEqual(chosen(uses, { count: 1 }), ['t4'])
  assert.deepEqual(chosen(uses, { count: 1, memoryBytes: 20 * GiB }), ['l4'])
  assert.deepEqual(chosen(uses, { count: 2, memoryBytes: 20 * GiB }), ['l4', 'h100'])
  assert.equal(chosen(uses, { count: 3, memoryBytes: 20 * GiB }), undefined)
})

test('a GPU belongs to one task alone, unless it is shared', () => {
  assert.equal(chosen([use('a', 80, 1)], { count: 1 }), undefined)
  assert.deepEqual(chosen([use('a', 80, 1)], { count: 1 }, 2), ['a'])
  assert.deepEqual(chosen([use('a', 40, 1), use('b', 80, 0)], { count: 1 }, 2), ['b'])
})

test('a shared GPU promises each task its part of the memory', () => {
  const [gpu] = [use('a', 80)]
  assert.ok(gpu !== undefined)
  assert.equal(promisedOf(gpu.device, 4).memoryBytes, 20 * GiB)
  assert.deepEqual(chosen([gpu], { count: 1, memoryBytes: 20 * GiB }, 4), ['a'])
  assert.equal(chosen([gpu], { count: 1, memoryBytes: 20 * GiB + 1 }, 4), undefined)
})

test('GPUs of two makers are never mixed in one task', () => {
  const uses = [use('n0', 80), use('n1', 80), use('a0', 64, 0, 'amd'), use('a1', 64, 0, 'amd')]
  assert.equal(chosen(uses, { count: 3 }), undefined)
  assert.equal(countGpuTasks(uses, { count: 2 }, 1), 2)
  assert.deepEqual(chosen(uses, { count: 2, vendor: 'amd' }), ['a0', 'a1'])
})

test('a GPU whose memory is not known suits no task that asks for some', () => {
  const uses: GpuUse[] = [{ device: { vendor: 'nvidia', id: 'a' }, tasks: 0 }]
  assert.deepEqual(chosen(uses, { count: 1 }), ['a'])
  assert.equal(chosen(uses, { count: 1, memoryBytes: 1 }), undefined)
})

test('as many tasks can be given GPUs one after another as were counted, and not one more', () => {
  const machine = fc.array(
    fc.record({
      vendor: fc.constantFrom(...GPU_VENDORS),
      gib: fc.constantFrom(16, 64, 80),
      tasks: fc.nat({ max: 3 }),
    }),
    { maxLength: 8 },
  )
  const asked = fc.record(
    {
      count: fc.integer({ min: 1, max: 4 }),
      vendor: fc.constantFrom(...GPU_VENDORS),
      memoryBytes: fc.constantFrom(8 * GiB, 40 * GiB),
    },
    { requiredKeys: ['count'] },
  )
  fc.assert(
    fc.property(machine, asked, fc.integer({ min: 1, max: 3 }), (gpus, need, share) => {
      let uses = gpus.map(({ gib, tasks, vendor }, at) => use(`${at}`, gib, tasks, vendor))
      for (let left = countGpuTasks(uses, need, share); left > 0; left--) {
        const ids = chosen(uses, need, share)
        assert.equal(new Set(ids).size, need.count)
        uses = uses.map(({ device, tasks }) => ({
          device,
          tasks: tasks + (ids?.includes(device.id) ? 1 : 0),
        }))
        for (const { device, tasks } of uses)
          assert.ok(!ids?.includes(device.id) || tasks <= share, 'given to too many')
      }
      assert.equal(chosen(uses, need, share), undefined)
    }),
  )
})
