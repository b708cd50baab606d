import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  SERIES,
  type RunningTask,
  type SeriesName,
} from '../../../../node/domain/machine-sample.ts'
import {
  IDLE_INTERVAL_MS,
  Monitor,
  WATCH_MS,
  WATCHED_INTERVAL_MS,
} from '../../../../node/services/monitoring/monitor.ts'
import { TaskRegister } from '../../../../node/services/monitoring/task-register.ts'
import { FakeSampler } from '../../../support/fake-sampler.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { bytes32Of } from '../../../support/messages.ts'
import { quietLogger } from '../../../support/quiet-logger.ts'

const TASK: RunningTask = {
  id: 'one',
  agreement: bytes32Of('a1'),
  index: 0,
  kind: 'wasm',
  startedAt: 0,
  cpuMillis: 1000,
  memoryBytes: 100,
}

const { id: _id, cpuMillis, memoryBytes, ...WHAT } = TASK
const LIMITS = { cpuMillis, memoryBytes, diskBytes: 0, wallMs: 1, outputBytes: 1 }

function open() {
  const clock = new ManualClock()
  const sampler = new FakeSampler(clock)
  const running = new TaskRegister()
  const used = { cpuMs: 0, memoryBytes: 7, fails: false }
  const monitor = new Monitor({
    clock,
    logger: quietLogger([]),
    sampler,
    running,
    useOf: async () => {
      if (used.fails) throw new TypeError('the engine is gone')
      return { cpuMs: used.cpuMs, memoryBytes: used.memoryBytes }
    },
  })
  const column = (name: SeriesName, resolution: 'second' | 'minute' = 'second') =>
    monitor.series(resolution, 0).columns[SERIES.indexOf(name)]
  const runTask = async (work: () => Promise<void>, id = TASK.id) =>
    running.during({ id, limits: LIMITS }, WHAT, work)
  return { clock, sampler, runTask, monitor, used, column }
}

test('monitor: looks every few seconds, every second while somebody watches, and then seldom again', async () => {
  const { clock, sampler, monitor } = open()
  await using _monitor = monitor
  monitor.start()
  await clock.advance(4 * IDLE_INTERVAL_MS - 1)
  assert.equal(sampler.looks, 4)
  await monitor.now()
  const before = sampler.looks
  await clock.advance(4 * WATCHED_INTERVAL_MS)
  assert.ok(sampler.looks - before >= 4, `${sampler.looks - before}`)
  await clock.advance(WATCH_MS)
  const after = sampler.looks
  await clock.advance(4 * IDLE_INTERVAL_MS)
  assert.equal(sampler.looks - after, 4)
})

test('monitor: many who ask at once get one look', async () => {
  const { sampler, monitor } = open()
  await using _monitor = monitor
  const moments = await Promise.all([monitor.now(), monitor.now(), monitor.now()])
  await monitor.now()
  assert.equal(sampler.looks, 1)
  assert.equal(moments[0], moments[2])
})

test('monitor: seconds and minutes have the means of the machine', async () => {
  const { clock, sampler, monitor, column } = open()
  await using _monitor = monitor
  sampler.doing = { cpu: 0.25, diskFreeBytes: 10 }
  monitor.start()
  await clock.advance(0)
  sampler.doing = { cpu: 0.75 }
  await clock.advance(IDLE_INTERVAL_MS)
  assert.deepEqual(column('cpu'), [0.25, 0.75])
  assert.deepEqual(column('diskFreeBytes'), [10, null])
  assert.deepEqual(column('cpu', 'minute'), [0.5])
  assert.deepEqual(column('temperatureC'), [null, null])
})

test('monitor: a task tells the processors that it used since the look before', async () => {
  const { clock, runTask, monitor, used, column } = open()
  await using _monitor = monitor
  const ended = Promise.withResolvers<void>()
  const work = runTask(async () => ended.promise)
  const [first] = (await monitor.now()).tasks
  assert.deepEqual(first?.use, { cpuMs: 0, memoryBytes: 7 })
  used.cpuMs = 1500
  await clock.advance(2000)
  const [second] = (await monitor.now()).tasks
  assert.deepEqual(second?.use, { cpuMs: 1500, memoryBytes: 7, cores: 0.75 })
  assert.deepEqual(column('taskCores'), [null, 0.75])
  assert.deepEqual(column('tasks'), [1, 1])
  ended.resolve()
  await work
  await clock.advance(2000)
  assert.deepEqual((await monitor.now()).tasks, [])
  assert.deepEqual(monitor.taskSeries('one', 0)?.columns, [[0.75], [7]])
  assert.equal(monitor.taskSeries('two', 0), undefined)
})

test('monitor: a sandbox that cannot tell leaves the task without figures, not the machine', async () => {
  const { runTask, monitor, used } = open()
  await using _monitor = monitor
  used.fails = true
  const ended = Promise.withResolvers<void>()
  const work = runTask(async () => ended.promise)
  const { machine, tasks } = await monitor.now()
  assert.equal(machine.cpu, 0.5)
  assert.deepEqual(tasks, [TASK])
  ended.resolve()
  await work
})

test('monitor: the series of tasks are bounded, the one seen longest ago goes', async () => {
  const { clock, runTask, monitor } = open()
  await using _monitor = monitor
  for (let task = 0; task < 65; task += 1) {
    await runTask(async () => {
      await monitor.now()
      await clock.advance(1000)
    }, String(task))
  }
  assert.equal(monitor.taskSeries('0', 0), undefined)
  assert.ok(monitor.taskSeries('1', 0) !== undefined)
})
