import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openTaskGroups } from '../../../../node/adapters/native/task-groups.ts'
import { anImageTask } from '../confinement/an-image-task.ts'

const { limits } = anImageTask()

/** A folder that looks like mounted control groups: version 2 with `cgroup.controllers`, else 1. */
async function fakeRoot(t: TestContext, ...names: string[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'hive-groups-'))
  t.after(() => rm(root, { recursive: true }))
  for (const name of names) {
    if (name.includes('.')) await writeFile(join(root, name), '')
    else await mkdir(join(root, name))
  }
  return root
}

async function settingsOf(procs: string): Promise<Readonly<Record<string, string>>> {
  const folder = dirname(procs)
  const names = (await readdir(folder)).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return Object.fromEntries(names.map((name, at) => [name, texts[at] ?? '']))
}

test('version 2: controllers are handed down and a task is held to its limits', async (t) => {
  const root = await fakeRoot(t, 'cgroup.controllers')
  const made = await openTaskGroups('node', root)
  assert.ok('groups' in made)
  assert.equal(await readFile(join(root, 'cgroup.subtree_control'), 'utf8'), '+cpu +memory +pids')
  const group = await made.groups.open('a', limits, 128)
  assert.equal(group.joins.length, 1)
  assert.deepEqual(await settingsOf(group.joins[0] ?? ''), {
    'cpu.max': '50000 100000',
    'memory.max': String(limits.memoryBytes),
    'pids.max': '128',
  })
})

test('version 1: each controller has its own group and limit', async (t) => {
  const made = await openTaskGroups('node', await fakeRoot(t, 'cpu', 'cpuacct', 'memory', 'pids'))
  assert.ok('groups' in made)
  const group = await made.groups.open('a', limits, 128)
  const settings = await Promise.all(group.joins.map(settingsOf))
  assert.deepEqual(Object.assign({}, ...settings), {
    'cpu.cfs_period_us': '100000',
    'cpu.cfs_quota_us': '50000',
    'memory.limit_in_bytes': String(limits.memoryBytes),
    'pids.max': '128',
  })
})

test('a kill for memory is told from none', async (t) => {
  const made = await openTaskGroups('node', await fakeRoot(t, 'cgroup.controllers'))
  assert.ok('groups' in made)
  const group = await made.groups.open('a', limits, 128)
  const events = join(dirname(group.joins[0] ?? ''), 'memory.events')
  for (const [text, expected] of [
    ['oom 1\noom_kill 0\n', false],
    ['oom 1\noom_kill 2\n', true],
  ] as const) {
    await writeFile(events, text)
    assert.equal(await group.wasOutOfMemory(), expected)
  }
})

test('a missing controller or no right: a fault that names it', async (t) => {
  const partial = await openTaskGroups('node', await fakeRoot(t, 'cpu', 'cpuacct', 'memory'))
  assert.match('fault' in partial ? partial.fault : '', /controller pids/)
  const none = await openTaskGroups('node', '/proc/none')
  assert.match('fault' in none ? none.fault : '', /no control group/)
})
