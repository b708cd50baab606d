import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openCgroupMeter } from '../../../../node/adapters/confinement/cgroup-meter.ts'

async function fakeRoot(t: TestContext, ...hierarchies: string[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'hive-cgroup-'))
  t.after(() => rm(root, { recursive: true }))
  for (const name of hierarchies) await mkdir(join(root, name))
  return root
}

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}

test('version 1: nanoseconds and bytes are read from the task’s own group in each hierarchy', async (t) => {
  const root = await fakeRoot(t, 'cpuacct', 'memory')
  const meter = await openCgroupMeter('1', 'node', root)
  assert.ok(meter)
  await put(join(root, 'cpuacct', meter.parentOf('a')), { 'cpuacct.usage': '37000000\n' })
  await put(join(root, 'memory', meter.parentOf('a')), { 'memory.max_usage_in_bytes': '4096\n' })
  assert.deepEqual(await meter.read('a'), { cpuMs: 37, peakMemoryBytes: 4096 })
})

test('version 2: microseconds and the peak are read', async (t) => {
  const root = await fakeRoot(t)
  await writeFile(join(root, 'cgroup.procs'), '')
  const meter = await openCgroupMeter('2', 'node', root)
  assert.ok(meter)
  const stat = 'nr_periods 0\nusage_usec 2500\nuser_usec 2000\n'
  await put(join(root, meter.parentOf('a')), { 'cpu.stat': stat, 'memory.peak': '8192\n' })
  assert.deepEqual(await meter.read('a'), { cpuMs: 2.5, peakMemoryBytes: 8192 })
})

test('memory in use now is read beside the peak, in both versions', async (t) => {
  const unified = await fakeRoot(t)
  const two = await openCgroupMeter('2', 'node', unified)
  await put(join(unified, two?.parentOf('a') ?? ''), { 'memory.current': '512\n' })
  assert.equal((await two?.read('a'))?.memoryBytes, 512)
  const divided = await fakeRoot(t, 'cpuacct', 'memory')
  const one = await openCgroupMeter('1', 'node', divided)
  const group = join(divided, 'memory', one?.parentOf('a') ?? '')
  await put(group, { 'memory.usage_in_bytes': '256\n' })
  assert.equal((await one?.read('a'))?.memoryBytes, 256)
})

test('what is kept of files is read in both versions, and of version 2 whether a process was ended for want of memory', async (t) => {
  const unified = await fakeRoot(t)
  const two = await openCgroupMeter('2', 'node', unified)
  const group = join(unified, two?.parentOf('a') ?? '')
  const stat = 'file 9\ninactive_file 30\nactive_file 12\n'
  await put(group, { 'memory.stat': stat, 'memory.events': 'oom 1\noom_kill 0\n' })
  const { cacheBytes, wasOutOfMemory } = (await two?.read('a')) ?? {}
  assert.deepEqual([cacheBytes, wasOutOfMemory], [42, false])
  await put(group, { 'memory.events': 'oom 2\noom_kill 3\noom_group_kill 0\n' })
  assert.equal((await two?.read('a'))?.wasOutOfMemory, true)
  const divided = await fakeRoot(t, 'cpuacct', 'memory')
  const one = await openCgroupMeter('1', 'node', divided)
  const whole = `inactive_file 1\nactive_file 2\ntotal_${stat.slice(7).replace('\nactive', '\ntotal_active')}`
  await put(join(divided, 'memory', one?.parentOf('a') ?? ''), { 'memory.stat': whole })
  assert.equal((await one?.read('a'))?.cacheBytes, 42)
})

test('a kernel that does not say: zeros', async (t) => {
  const meter = await openCgroupMeter('2', 'node', await fakeRoot(t))
  assert.deepEqual(await meter?.read('never ran'), { cpuMs: 0, peakMemoryBytes: 0 })
})

test('where no group may be made there is no meter', async (t) => {
  const root = await fakeRoot(t)
  await writeFile(join(root, 'computehive'), 'in the way')
  assert.equal(await openCgroupMeter('2', 'node', root), undefined)
  assert.equal(await openCgroupMeter('1', 'node', join(root, 'missing')), undefined)
})

test('removal takes the task’s group, a sweep the node’s, and another node’s stay', async (t) => {
  const root = await fakeRoot(t, 'memory')
  const meter = await openCgroupMeter('1', 'node', root)
  const other = await openCgroupMeter('1', 'other', root)
  assert.ok(meter && other)
  const at = (group: string) => join(root, 'memory', group)
  for (const group of [meter.parentOf('a'), meter.parentOf('b'), other.parentOf('a')]) {
    await mkdir(at(group))
  }
  await meter.remove('a')
  assert.equal(existsSync(at(meter.parentOf('a'))), false)
  assert.equal(existsSync(at(meter.parentOf('b'))), true)
  await meter.sweep(['b'])
  assert.equal(existsSync(at(meter.parentOf('b'))), true)
  await meter.sweep()
  assert.equal(existsSync(at(meter.parentOf('b'))), false)
  assert.equal(existsSync(at(other.parentOf('a'))), true)
})
