import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { second } from '../../../node/domain/units.ts'
import { fakeImage, type FakeScript } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { aRequest, started, TOKEN } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A folder of programs for the fake sandbox, and a command line that stands in it. */
async function standing(
  t: TestContext,
  it: TestApi,
  programs: Readonly<Record<string, FakeScript>>,
) {
  const dir = await mkdtemp(join(tmpdir(), 'hive-jobs-'))
  t.after(() => rm(dir, { recursive: true }))
  for (const [name, script] of Object.entries(programs))
    await writeFile(join(dir, name), fakeImage(script))
  return { dir, hive: () => testCli({ dataDir: it.dataDir, cwd: dir }) }
}

test('hive run of a workflow: its steps are told, shown as a tree and written into folders', async (t) => {
  await using it = await openTestApi()
  const programs = {
    'a.wasm': { stdout: 'made' },
    'b.wasm': { copyArgs: true },
    'c.wasm': { exit: 2 },
  }
  const { dir, hive } = await standing(t, it, programs)
  const steps = `
steps:
  a: { module: a.wasm, tasks: 2 }
  b: { module: b.wasm, args: [/in/0, /out/copy], inputs: { /in: { from: a, path: stdout } } }
  c: { module: c.wasm }
  d: { module: a.wasm, needs: [c] }
`
  await writeFile(join(dir, 'w.yaml'), steps)
  const run = hive()
  assert.equal(await run.run('run', 'w.yaml', '--out', 'results'), 125)
  assert.match(run.stderr.text, /error WORKFLOW_FAILED/)
  assert.equal(await readFile(join(dir, 'results', 'b', 'copy'), 'utf8'), 'made')
  assert.equal(await readFile(join(dir, 'results', 'a', '1.stdout'), 'utf8'), 'made')
  const jobs = hive()
  assert.equal(await jobs.run('jobs'), 0)
  const lines = jobs.stdout.text.split('\n')
  assert.match(lines[1] ?? '', /^0x\S+ +failed +2\/4 +1 +workflow .* WORKFLOW_FAILED$/)
  assert.match(lines[2] ?? '', /^├ 0x\S+ +settled +2\/2 +0 +a /)
  assert.match(lines[5] ?? '', /^└ +skipped +- +- +d +STEP_SKIPPED$/)
  const id = /^0x\w+/.exec(lines[1] ?? '')?.[0] ?? ''
  const job = hive()
  assert.equal(await job.run('job', id), 0)
  assert.match(job.stdout.text, /c +failed +0x\S+ +1\/1 +1 +- +STEP_FAILED\n/)
  const flagged = hive()
  assert.equal(await flagged.run('run', 'w.yaml', '--tasks', '3'), 125)
  assert.match(flagged.stderr.text, /tasks: belongs into a step/)
})

test('hive extend: a plus adds to what the job has, and what is agreed is fixed', async () => {
  await using it = await openTestApi()
  const timeouts = { totalMs: 3600 * second }
  const request = await aRequest(it.member, { spin: true }, { timeouts, budget: TOKEN })
  const { id } = await it.requester.submit(request, signal)
  await started(it.requester)
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('extend', id, '--total-timeout', '+1h', '--attempts', '+2'), 0)
  const { request: now } = await it.requester.book.get(id)
  assert.deepEqual([now.timeouts?.totalMs, now.attempts], [7200 * second, request.attempts + 2])
  assert.match(hive.stdout.text, /attempts +4\n/)
  const dearer = testCli({ dataDir: it.dataDir })
  assert.equal(await dearer.run('extend', id, '--budget', '+0.5'), 0, dearer.stderr.text)
  assert.match(dearer.stdout.text, /budget +1\.5 tokens\n/)
  assert.equal((await it.requester.book.get(id)).request.budget, (3n * TOKEN) / 2n)
  const fixed = testCli({ dataDir: it.dataDir })
  assert.equal(await fixed.run('extend', id, '--timeout', '+1h'), 1)
  assert.match(fixed.stderr.text, /AGREEMENT_FIXED/)
  const nothing = testCli({ dataDir: it.dataDir })
  assert.equal(await nothing.run('extend', id), 1)
  assert.match(nothing.stderr.text, /INPUT_INVALID/)
  assert.equal(await testCli({ dataDir: it.dataDir }).run('cancel', id), 0)
})

test('hive cache: what it has, and what it has no more', async (t) => {
  await using it = await openTestApi()
  const { hive } = await standing(t, it, { 'a.wasm': { stdout: 'made' } })
  const empty = hive()
  assert.equal(await empty.run('cache', 'ls'), 0)
  assert.match(empty.stdout.text, /^Nothing yet/)
  const job = ['run', 'a.wasm', '--deterministic', '--cache']
  for (const isCached of [false, true]) {
    const run = hive()
    assert.deepEqual([await run.run(...job), run.stdout.text], [0, 'made'])
    assert.equal(run.stderr.text.includes('from cache, 0 paid'), isCached)
  }
  const list = hive()
  await list.run('cache', 'ls', '--json')
  const { entries } = JSON.parse(list.stdout.text) as { entries: { spec: string; hits: number }[] }
  assert.deepEqual(
    entries.map(({ hits }) => hits),
    [1],
  )
  assert.equal(await hive().run('cache', 'rm'), 1)
  assert.equal(await hive().run('cache', 'rm', entries[0]?.spec ?? ''), 0)
  assert.equal(await hive().run('cache', 'rm', entries[0]?.spec ?? ''), 1)
  assert.equal(await hive().run('cache', 'rm', '--all'), 0)
  const plain = hive()
  assert.equal(await plain.run('run', 'a.wasm', '--cache'), 125)
  assert.match(plain.stderr.text, /cache: only a deterministic job/)
})
