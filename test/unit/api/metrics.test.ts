import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { MomentBody, SeriesBody, TaskSeriesBody } from '../../../node/api/schemas/metrics.ts'
import type { RunningTask } from '../../../node/domain/machine-sample.ts'
import { bytes32Of } from '../../support/messages.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { aRequest, oneJob, started } from '../../support/test-market.ts'

const { signal } = new AbortController()
const TASK: RunningTask = {
  id: 'one',
  agreement: bytes32Of('a1'),
  index: 3,
  kind: 'was"m\n',
  startedAt: 0,
  cpuMillis: 1500,
  memoryBytes: 2 ** 20,
}

/** Does `work` while a task runs. */
async function whileRunning(it: TestApi, work: () => Promise<void>): Promise<void> {
  const { id, cpuMillis, memoryBytes, ...what } = TASK
  const limits = { cpuMillis, memoryBytes, diskBytes: 0, wallMs: 1, outputBytes: 1 }
  await it.running.during({ id, limits }, what, work)
}

test('api: metrics are what the machine and its tasks do now', async () => {
  await using it = await openTestApi()
  it.sampler.doing = { cpu: 0.25, gpus: [{ model: 'H100', busy: 1 }] }
  await whileRunning(it, async () => {
    const moment: unknown = await (await it.call('/v1/metrics')).json()
    assert.ok(Value.Check(MomentBody, moment), JSON.stringify(moment))
    assert.equal(moment.machine.cpu, 0.25)
    assert.deepEqual(moment.tasks, [TASK])
  })
})

test('api: a job that runs here is among them, with what it uses', async () => {
  await using it = await openTestApi({ providers: 0, isProvider: true })
  const { id } = await it.requester.submit(await aRequest(it.member, { spin: true }), signal)
  await started(it.requester)
  const moment = (await (await it.call('/v1/metrics')).json()) as MomentBody
  const [task] = moment.tasks
  assert.equal(task?.kind, 'wasm')
  assert.ok((task.use?.cpuMs ?? 0) > 0)
  const series: unknown = await (await it.call(`/v1/metrics/tasks/${task.id}`)).json()
  assert.ok(Value.Check(TaskSeriesBody, series), JSON.stringify(series))
  assert.equal(series.at.length, 1)
  await it.requester.cancel(id)
})

test('api: series have one list for each name, as long as the times', async () => {
  await using it = await openTestApi()
  await it.call('/v1/metrics')
  for (const [query, stepMs] of [
    ['', 1000],
    ['?resolution=minute', 60_000],
    ['?resolution=second&since=5', 1000],
  ] as const) {
    const series: unknown = await (await it.call(`/v1/metrics/series${query}`)).json()
    assert.ok(Value.Check(SeriesBody, series), JSON.stringify(series))
    assert.equal(series.stepMs, stepMs)
    assert.deepEqual(series.columns.cpu, [0.5])
    assert.deepEqual(series.columns.temperatureC, [null])
  }
  for (const wrong of ['?resolution=hour', '?since=yesterday', '?more=1'])
    assert.equal((await it.call(`/v1/metrics/series${wrong}`)).status, 400)
  assert.equal((await it.call('/v1/metrics/tasks/nobody')).status, 404)
})

test('api: the same as Prometheus reads it, names of strangers escaped, nothing for what is not known', async () => {
  await using it = await openTestApi({ providers: 1 })
  it.sampler.doing = { cpu: 0.25, gpus: [{ model: 'a "b\\', powerWatts: 300 }] }
  await whileRunning(it, async () => {
    const answer = await it.call('/metrics')
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    assert.match(text, /^# TYPE hive_cpu_ratio gauge\nhive_cpu_ratio 0\.25$/m)
    assert.match(text, /^hive_gpu_power_watts\{gpu="0",model="a \\"b\\\\"\} 300$/m)
    assert.match(text, /^hive_peers 1$/m)
    assert.match(text, /^hive_relayed_connections 1$/m)
    assert.match(text, /^hive_relay_reservations 2$/m)
    assert.match(text, /^hive_tasks_running 1$/m)
    assert.doesNotMatch(text, /hive_temperature|NaN|undefined/)
    for (const line of text.trimEnd().split('\n'))
      assert.match(line, /^(# (HELP|TYPE) .*|hive_[a-z_]+(\{.*\})? [-+.e\d]+)$/)
  })
  assert.equal((await it.call('/metrics', { token: null })).status, 401)
})

test('api: differences from the contract are counted by kind', async () => {
  await using it = await openTestApi({ providers: 1 })
  await oneJob(it.requester, it.member, signal)
  const counted = async () => {
    await it.reconciler.pass(signal)
    const text = await (await it.call('/metrics')).text()
    const value = (name: string, kind: string) =>
      Number(text.match(new RegExp(`^hive_drift_${name}_total{kind="${kind}"} (\\d+)$`, 'm'))?.[1])
    for (const kind of ['earning', 'job', 'case'])
      assert.deepEqual([value('found', kind), value('mended', kind)], [0, 0], kind)
    return [value('found', 'channel'), value('mended', 'channel')]
  }
  assert.deepEqual(await counted(), [0, 0])
  const [channel] = it.requester.channels.all()
  assert.ok(channel)
  const chain = it.market.chain.channels
  const found = chain.get(channel.id)
  assert.ok(found)
  chain.set(channel.id, { ...found, deposit: found.deposit + 7n })
  assert.deepEqual(await counted(), [1, 1])
  chain.set(channel.id, { ...found, deposit: 0n })
  it.market.chain.free.set(it.member.signing.address, 0n)
  assert.deepEqual(await counted(), [2, 2])
  assert.deepEqual(await counted(), [3, 2], 'found, and no money to mend it with')
})

test('hive top: once where nobody can watch, with what is known', async () => {
  await using it = await openTestApi()
  it.sampler.doing = { cpu: 0.25, memoryUsedBytes: 2 ** 30, memoryTotalBytes: 2 ** 32 }
  const hive = testCli({ dataDir: it.dataDir, now: () => 5000 })
  assert.equal(await hive.run('top'), 0)
  assert.match(hive.stdout.text, /^processors +25 %$/m)
  assert.match(hive.stdout.text, /^memory +1\.0 GiB of 4\.0 GiB$/m)
  assert.match(hive.stdout.text, /^No task runs\.$/m)
  await whileRunning(it, async () => {
    const again = testCli({ dataDir: it.dataDir, now: () => 5000 })
    await new Promise((resolve) => setTimeout(resolve, 600)) // a younger look answers otherwise
    assert.equal(await again.run('top', '--once'), 0)
    assert.match(again.stdout.text, /^0xa1a1a1a1 +3 +was"m +\? +1\.50 +\? +1\.0 MiB +\? +5\.0 s$/m)
    assert.match(again.stdout.text, /^[ -~\n]+$/)
  })
})

test('hive top: on a terminal it goes on until it is interrupted', async () => {
  await using it = await openTestApi()
  const hive = testCli({ dataDir: it.dataDir, isTTY: true })
  const running = hive.run('top', '--every', '500ms')
  await hive.stdout.wrote('No task runs.')
  hive.interrupt()
  assert.equal(await running, 0)
  assert.equal(await hive.run('top', '--every', '1ms'), 1)
  assert.match(hive.stderr.text, /INPUT_INVALID/)
})
