import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JobBody, JobSummary } from '../../node/api/schemas/jobs.ts'
import type { WorkflowBody } from '../../node/api/schemas/workflows.ts'
import { readDocument } from '../../node/cli/job/job-file.ts'
import { followWorkflow, uploadWorkflow } from '../../node/cli/workflow/run-workflow.ts'
import { readWorkflow } from '../../node/cli/workflow/workflow-file.ts'
import { Hive } from './support/hive.ts'
import { Money } from './support/money.ts'
import { eventually, patience, SharedNetwork } from './support/shared-network.ts'

const TRACER = fileURLToPath(new URL('../../jobs/path-tracer/', import.meta.url))
const PROGRAMS = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))

const network = new SharedNetwork({
  requesters: 1,
  providers: 2,
  provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
})
const money = new Money(network)
const hive = () => new Hive({ HIVE_DATA: network.node('requester-1').dir })

test('a task that exits with a code of its policy runs again elsewhere after the pause, paid each time', async () => {
  const client = await network.client('requester-1')
  const policy = ['--attempts', '2', '--retry-on', '75,lost', '--retry-delay', '700ms']
  const ran = await hive().run('run', PROGRAMS, ...policy, '--bids', '2', '--', 'echo', '75', 'no')
  assert.equal(ran.code, 75, ran.stderr)
  const { jobs } = await client.get<{ jobs: readonly JobSummary[] }>('/v1/jobs')
  const job = await client.get<JobBody>(`/v1/jobs/${jobs[0]?.id ?? ''}`)
  assert.deepEqual(
    [job.state, job.shares.map(({ attempt }) => attempt), job.results[0]?.exitCode],
    ['settled', [1, 2], 75],
  )
  assert.equal(new Set(job.shares.map(({ provider }) => provider)).size, 2)
  const paid = job.shares.reduce((sum, { amount }) => sum + BigInt(amount ?? 0), 0n)
  assert.ok(paid > 0n && job.shares.every(({ amount }) => BigInt(amount ?? 0) > 0n))
  assert.equal(BigInt(job.paid), paid)
  assert.ok((job.finishedAt ?? 0) - job.createdAt >= 700)
  await money.settled()
})

test('a workflow: tiles are rendered as an array and joined to one picture, the steps that need a failed one are skipped', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-workflow-'))
  t.after(() => rm(dir, { recursive: true }))
  const args = "[--width, 40, --height, 30, --samples, 1, --tiles, '{count}', --tile, '{index}']"
  const size = 'resources: { cpu: 0.5, memory: 64MiB, disk: 1MiB }, bids: 2'
  const file = join(dir, 'picture.yaml')
  await writeFile(
    file,
    `
steps:
  tiles: { module: ${TRACER}tracer.wasm, args: ${args}, tasks: 4, ${size} }
  whole:
    module: ${TRACER}join.wasm
    args: [/in/tiles, /out/picture.ppm]
    inputs: { /in/tiles: { from: tiles, path: stdout } }
    resources: { cpu: 0.5, memory: 64MiB, disk: 1MiB }
  bad: { module: ${PROGRAMS}, args: [echo, 3], ${size} }
  after: { module: ${PROGRAMS}, args: [echo, 0], needs: [bad] }
`,
  )
  const ran = await hive().run('run', file, '--out', dir)
  assert.equal(ran.code, 125, ran.stderr)
  const picture = await readFile(join(dir, 'whole', 'picture.ppm'))
  const head = 'P6\n40 30\n255\n'
  assert.equal(picture.subarray(0, head.length).toString(), head)
  assert.equal(picture.byteLength, head.length + 40 * 30 * 3)
  const client = await network.client('requester-1')
  const list = await client.get<{ workflows: readonly WorkflowBody[] }>('/v1/workflows')
  const [workflow] = list.workflows
  assert.deepEqual(
    workflow?.steps.map(({ name, state, error }) => [name, state, error?.code]),
    [
      ['tiles', 'settled', undefined],
      ['whole', 'settled', undefined],
      ['bad', 'failed', 'STEP_FAILED'],
      ['after', 'skipped', 'STEP_SKIPPED'],
    ],
  )
  const shown = await hive().run('job', workflow.id.slice(0, 14))
  assert.match(shown.stdout, /after +skipped .*STEP_SKIPPED bad/)
  assert.match((await hive().run('jobs')).stdout, /├ 0x[^\n]+ +settled +4\/4 +0 +tiles/)
  await money.settled()
})

test('a deterministic job that allows the cache is paid for once, and printed twice', async () => {
  const client = await network.client('requester-1')
  const flags = ['--deterministic', '--cache', '--bids', '2', '--', 'echo', '0', 'once']
  const first = await hive().run('run', PROGRAMS, ...flags)
  assert.deepEqual([first.code, first.stdout], [0, 'once\n'], first.stderr)
  assert.doesNotMatch(first.stderr, /cache/)
  const again = await hive().run('run', PROGRAMS, ...flags)
  assert.deepEqual([again.code, again.stdout], [0, 'once\n'], again.stderr)
  assert.match(again.stderr, /from cache, 0 paid/)
  const { jobs } = await client.get<{ jobs: readonly JobSummary[] }>('/v1/jobs')
  const job = await client.get<JobBody>(`/v1/jobs/${jobs[0]?.id ?? ''}`)
  assert.deepEqual([job.cached, job.paid, job.shares.length], [1, '0', 0])
  const spec = job.specCid
  assert.match((await hive().run('cache', 'ls')).stdout, new RegExp(`${spec} .*1/1`))
  assert.equal((await hive().run('cache', 'rm', spec)).code, 0)
  assert.doesNotMatch((await hive().run('cache', 'ls')).stdout, new RegExp(spec))
})

test('the requester is killed in the middle of a workflow: it goes on where it was, and each step is paid once', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-workflow-'))
  t.after(() => rm(dir, { recursive: true }))
  await writeFile(
    join(dir, 'slow.yaml'),
    `
steps:
  first: { module: ${PROGRAMS}, args: [echo, 0, first], bids: 2 }
  slow: { module: ${PROGRAMS}, args: [sleep, 3000], needs: [first], bids: 2 }
  last:
    module: ${PROGRAMS}
    args: [copy, /in/said, /out/said]
    inputs: { /in/said: { from: slow, path: stdout } }
    bids: 2
`,
  )
  const document = await readDocument('slow.yaml', dir)
  assert.ok(document)
  const before = await network.client('requester-1')
  const noImages = async () => assert.fail('the workflow has no images')
  const parts = { cwd: dir, readImage: noImages }
  const body = await uploadWorkflow(await readWorkflow(document), parts, before, patience())
  const { id } = await before.post<WorkflowBody>('/v1/workflows', body)
  await eventually(async () => {
    const { steps } = await before.get<WorkflowBody>(`/v1/workflows/${id}`)
    return steps.some(({ name, job }) => name === 'slow' && job?.state === 'running')
  })
  await network.kill('requester-1')
  await network.restart('requester-1')
  const client = await network.client('requester-1')
  const done = await followWorkflow(client, id, async () => {}, patience())
  assert.deepEqual(
    done.steps.map(({ name, state }) => [name, state]),
    [
      ['first', 'settled'],
      ['slow', 'settled'],
      ['last', 'settled'],
    ],
  )
  const { jobs } = await client.get<{ jobs: readonly JobSummary[] }>('/v1/jobs')
  assert.equal(jobs.filter(({ origin }) => origin?.workflow === id).length, 3)
  const last = await client.get<JobBody>(`/v1/jobs/${done.steps[2]?.job?.id ?? ''}`)
  const said = await client.download(last.results[0]?.files[0]?.cid ?? '')
  assert.equal(new TextDecoder().decode(said), 'before\nafter\n')
  await money.settled()
})
