import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { LocalGpu } from '../../../node/domain/gpu-share.ts'
import { taskNeedOf, type TaskNeed } from '../../../node/domain/task-need.ts'
import { GiB, minute } from '../../../node/domain/units.ts'
import { GpuPool } from '../../../node/services/provider/gpu-pool.ts'
import { Slots } from '../../../node/services/provider/slots.ts'
import { aShareNeed, bookedTask } from '../../support/booked-task.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { anOffer } from '../../support/messages.ts'

const MACHINE = { cpuMillis: 8000, memoryBytes: 64 * GiB, diskBytes: 64 * GiB }
const ONE = { cpuMillis: 1000, memoryBytes: GiB, diskBytes: GiB }
const clock = new ManualClock()
const never = new AbortController().signal
const H100: readonly LocalGpu[] = ['GPU-0', 'GPU-1'].map((id) => ({
  vendor: 'nvidia',
  id,
  memoryBytes: 80 * GiB,
}))
const MI250: readonly LocalGpu[] = [128, 129].map((node) => ({
  vendor: 'amd',
  id: `/dev/dri/renderD${node}`,
  memoryBytes: 64 * GiB,
}))

/** Starts a task that ends when it is told to, and tells which GPUs it got. */
function started(slots: Slots, need: TaskNeed, signal = never) {
  const gate = Promise.withResolvers<void>()
  const ids: string[] = []
  let isRunning = false
  const done = bookedTask(slots, aShareNeed(need), signal, async (gpus) => {
    isRunning = true
    ids.push(...gpus.map(({ id }) => id))
    await gate.promise
  })
  return { ids, done, end: gate.resolve, isRunning: () => isRunning }
}

/** When two more such tasks have room. */
const roomOf = (slots: Slots, need: TaskNeed) => slots.roomFor(aShareNeed(need, { tasks: 2 }))

test('a task has its GPUs alone, and one that waits for them starts when they are free', async () => {
  const slots = new Slots(clock, MACHINE, new GpuPool(H100))
  const need = { ...ONE, gpus: 1 }
  assert.equal(slots.most(need), 2)
  const [first, second, third] = [1, 2, 3].map(() => started(slots, need))
  await turn()
  assert.deepEqual([first?.ids, second?.ids], [['GPU-0'], ['GPU-1']])
  assert.deepEqual([third?.isRunning(), slots.waiting], [false, 1])
  assert.deepEqual(roomOf(slots, need), { etaMs: minute, capacity: 1 })
  assert.equal(slots.utilisation, 1)
  second?.end()
  await second?.done
  await turn()
  assert.deepEqual(third?.ids, ['GPU-1'])
  first?.end()
  third?.end()
  await Promise.all([first?.done, third?.done])
  assert.deepEqual([slots.free, roomOf(slots, need)?.capacity], [slots.total, 2])
})

test('who waits for a GPU holds up only those after it that want one too', async () => {
  const slots = new Slots(clock, MACHINE, new GpuPool(H100))
  const one = started(slots, { ...ONE, gpus: 1 })
  const both = started(slots, { ...ONE, gpus: 2 })
  const small = started(slots, { ...ONE, gpus: 1 })
  const plain = started(slots, ONE)
  await turn()
  assert.deepEqual(
    [one, both, small, plain].map((task) => task.isRunning()),
    [true, false, false, true],
  )
  one.end()
  await one.done
  await turn()
  assert.deepEqual([both.ids, small.isRunning()], [['GPU-0', 'GPU-1'], false])
  both.end()
  await both.done
  await turn()
  assert.equal(small.isRunning(), true)
  small.end()
  plain.end()
  await Promise.all([small.done, plain.done])
})

test('who leaves while it waits for a GPU, or fails with one, leaves it to the others', async () => {
  const slots = new Slots(clock, MACHINE, new GpuPool(H100.slice(1)))
  const need = { ...ONE, gpus: 1 }
  const holder = started(slots, need)
  const leaving = new AbortController()
  const gone = started(slots, need, leaving.signal)
  leaving.abort(new RangeError('left'))
  await assert.rejects(gone.done, RangeError)
  holder.end()
  await holder.done
  await assert.rejects(
    bookedTask(slots, aShareNeed(need), never, async () => Promise.reject(new RangeError('no'))),
    RangeError,
  )
  assert.deepEqual(roomOf(slots, need), { etaMs: 0, capacity: 1 })
})

test('tasks at a time follow from maker, memory and share as much as from cores', () => {
  const mixed = new Slots(clock, MACHINE, new GpuPool([...H100, ...MI250]))
  const asks = (gpus: number, more: Parameters<typeof anOffer>[0] = {}) =>
    taskNeedOf(anOffer({ ...ONE, gpus, ...more }))
  assert.equal(mixed.most(asks(1)), 4)
  assert.equal(mixed.most(asks(2)), 2)
  assert.equal(mixed.most(asks(3)), 0)
  assert.equal(mixed.most(asks(1, { gpuVendor: 'amd' })), 2)
  assert.equal(mixed.most(asks(1, { gpuMemoryBytes: 70 * GiB })), 2)
  assert.equal(mixed.most(asks(1, { gpuVendor: 'amd', gpuMemoryBytes: 70 * GiB })), 0)
  assert.equal(mixed.most(asks(1, { cpuMillis: 8000 })), 1)
  assert.equal(mixed.most(asks(0)), 8)
  const shared = new Slots(clock, MACHINE, new GpuPool(H100, { share: 3 }))
  assert.equal(shared.most(asks(1)), 6)
  assert.equal(shared.most(asks(1, { gpuMemoryBytes: 40 * GiB })), 0)
  assert.equal(new Slots(clock, MACHINE).most(asks(1)), 0)
})
