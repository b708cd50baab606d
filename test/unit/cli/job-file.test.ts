import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { JOB_DEFAULTS } from '../../../node/cli/job/job-defaults.ts'
import { readJob, type JobFlags } from '../../../node/cli/job/job-file.ts'
import { CONFIG_DEFAULTS } from '../../../node/config/defaults.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { MAX_TASK_TIMEOUT_MS } from '../../../node/domain/offer.ts'
import { PRICING_RULES } from '../../../node/domain/pricing.ts'
import { MiB, second } from '../../../node/domain/units.ts'
import { MAX_FILE_BYTES } from '../../../node/protocol/limits.ts'
import { anOffer } from '../../support/messages.ts'

async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-job-'))
  t.after(() => rm(dir, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
  return dir
}

async function refusal(
  program: string,
  flags: JobFlags,
  cwd: string,
): Promise<readonly [code: string, paths: readonly string[]]> {
  try {
    await readJob(program, flags, cwd)
  } catch (error) {
    assert.ok(error instanceof HiveError)
    const problems = error.data['problems']
    assert.ok(Array.isArray(problems), error.code)
    return [error.code, problems.map((line: string) => line.split(': ')[0] ?? '')]
  }
  return assert.fail('it was accepted')
}

test('job file: a module alone is a job with every default', async (t) => {
  const dir = await folder(t, { 'a.wasm': '' })
  const job = await readJob('a.wasm', {}, dir)
  assert.equal(job.kind, 'wasm')
  assert.deepEqual(job.program, {
    from: 'module',
    path: '/a.wasm',
    source: join(dir, 'a.wasm'),
  })
  assert.equal(job.timeoutMs, JOB_DEFAULTS.timeoutMs)
  assert.equal(job.maxPrice, JOB_DEFAULTS.maxPrice)
  assert.equal(job.stream, true)
  assert.equal((await readJob('a.wasm', { tasks: '2' }, dir)).stream, false)
})

test('job file: an archive is a docker job', async (t) => {
  const dir = await folder(t, { 'image.tar': '' })
  assert.equal((await readJob('image.tar', {}, dir)).kind, 'docker')
})

test('job file: the default price is what providers with the default list take', () => {
  const offer = anOffer({
    cpuMillis: JOB_DEFAULTS.cpuMillis,
    taskTimeoutMs: JOB_DEFAULTS.timeoutMs,
  })
  const asked = PRICING_RULES.posted(offer, CONFIG_DEFAULTS.provider.prices)
  assert.ok(asked <= JOB_DEFAULTS.maxPrice)
})

test('job file: every field of a spec file is taken, with units', async (t) => {
  const spec = `
kind: wasm
module: bin/a.wasm
args: [--level, 3, '{input}']
env: { MODE: fast, N: 4 }
stdin: in.txt
files: { /data/one: in.txt, /tree: bin }
outputs: /results
resources: { cpu: 0.5, memory: 64MiB, disk: 1MiB }
timeout: 30s
map: in*.txt
maxPrice: '0.5'
budget: 2
attempts: 3
bidWindow: 2s
bids: 7
stream: true
`
  const dir = await folder(t, { 'job.yaml': spec, 'bin/a.wasm': 'x', 'in.txt': 'y', 'in2.txt': '' })
  const job = await readJob(join(dir, 'job.yaml'), {}, '/')
  assert.deepEqual(job.args, ['--level', '3', '{input}'])
  assert.deepEqual(job.env, { MODE: 'fast', N: '4' })
  assert.deepEqual(job.resources, { cpuMillis: 500, memoryBytes: 64 * MiB, diskBytes: MiB })
  assert.equal(job.timeoutMs, 30 * second)
  assert.equal(job.tasks, 2)
  assert.equal(job.maxPrice, 5n * 10n ** 17n)
  assert.equal(job.budget, 2n * 10n ** 18n)
  assert.deepEqual(
    job.files.map(({ path }) => path),
    ['/data/one', '/tree/a.wasm'],
  )
  assert.deepEqual(
    job.inputs.map(({ name, files }) => [name, files[0]?.path]),
    [
      ['in.txt', '/in/in.txt'],
      ['in2.txt', '/in/in2.txt'],
    ],
  )
  assert.equal(job.stdin, join(dir, 'in.txt'))
})

test('job file: how the node handles the job is read with its words, and flags change single fields of it', async (t) => {
  const spec = `
module: a.wasm
attempts: 4
retry: { on: [75, timeout, 75], elsewhere: false, backOff: { first: 2s, factor: 1.5 } }
timeouts: { queue: 10m, total: 1h }
priority: high
keep: 7d
`
  const dir = await folder(t, { 'job.yaml': spec, 'a.wasm': '' })
  const { handling, attempts } = await readJob('job.yaml', {}, dir)
  assert.equal(attempts, 4)
  assert.deepEqual(handling, {
    retry: {
      on: [75, 'timeout'],
      elsewhere: false,
      backOff: { firstMs: 2 * second, factor: 1.5, mostMs: 300 * second },
    },
    timeouts: { queueMs: 600 * second, totalMs: 3600 * second },
    priority: 8,
    keep: { results: 7 * 24 * 3600 * second },
  })
  const flags = { retry: { backOff: { most: '3s' } }, timeouts: { fetch: '5s' }, priority: '0' }
  const changed = (await readJob('job.yaml', flags, dir)).handling
  assert.deepEqual(changed.retry?.backOff, { firstMs: 2 * second, factor: 1.5, mostMs: 3 * second })
  assert.deepEqual(changed.timeouts, { ...handling.timeouts, fetchMs: 5 * second })
  assert.equal(changed.priority, 0)
  const kept = { keep: { results: 'until-fetched', inputs: 'forever' } }
  assert.deepEqual((await readJob('a.wasm', kept, dir)).handling, kept)
  assert.deepEqual((await readJob('a.wasm', {}, dir)).handling, {})
  const bad = { retry: { on: ['sometimes', 0] }, timeouts: { queue: '0s' }, priority: '10' }
  assert.deepEqual(await refusal('a.wasm', bad, dir), [
    'SPEC_INVALID',
    ['retry.on[0]', 'retry.on[1]', 'priority', 'timeouts.queue'],
  ])
})

test('job file: GPUs and destinations are for images, and destinations get their one spelling', async (t) => {
  const spec = `
image: a.tar
gpu: { memory: 16GiB, vendor: nvidia }
network: { allow: ['Example.org.:443', '[2001:DB8:0::1]:53', 'example.org:443'] }
`
  const dir = await folder(t, { 'job.yaml': spec, 'a.tar': '', 'a.wasm': '' })
  const job = await readJob('job.yaml', {}, dir)
  assert.deepEqual(job.gpus, { count: 1, vendor: 'nvidia', memoryBytes: 16 * 1024 * MiB })
  assert.deepEqual(job.egress, ['[2001:db8::1]:53', 'example.org:443'])
  assert.equal((await readJob('job.yaml', { gpu: { count: '4' } }, dir)).gpus?.count, 4)
  const plain = await readJob('a.tar', {}, dir)
  assert.deepEqual([plain.gpus, plain.egress], [undefined, []])
  const wasm = { gpu: { count: 1 }, network: { allow: ['example.org:443'] } }
  assert.deepEqual(await refusal('a.wasm', wasm, dir), ['SPEC_INVALID', ['gpu', 'network.allow']])
  const bad = { network: { allow: ['http://example.org/'] } }
  assert.deepEqual(await refusal('a.tar', bad, dir), ['SPEC_INVALID', ['network.allow[0]']])
})

test('job file: flags win over the file, section by section, and start from where the user stands', async (t) => {
  const spec = 'module: a.wasm\ntasks: 4\nresources: { cpu: 2, memory: 1GiB }\n'
  const dir = await folder(t, { 'spec/job.yaml': spec, 'spec/a.wasm': '', 'here.txt': '' })
  const flags = { resources: { cpu: '1' }, stdin: 'here.txt', map: ['*.txt'] }
  const job = await readJob('spec/job.yaml', flags, dir)
  assert.equal(job.resources.cpuMillis, 1000)
  assert.equal(job.resources.memoryBytes, 1024 * MiB)
  assert.equal(job.stdin, join(dir, 'here.txt'))
  assert.equal(job.tasks, 1)
})

test('job file: every mistake is listed at once, those between fields too', async (t) => {
  const spec = `
module: a.wasm
image: b.tar
kind: vm
args: ['{input}']
files: { relative: gone.txt, /ok: gone.txt }
outputs: out
resources: { cpu: 0, memory: much, gpu: 1 }
timeout: 48h
tasks: 0
maxPrice: free
colour: red
`
  const dir = await folder(t, { 'job.yaml': spec, 'b.tar': '' })
  const [code, paths] = await refusal('job.yaml', {}, dir)
  assert.equal(code, 'SPEC_INVALID')
  assert.deepEqual(
    new Set(paths),
    new Set([
      'colour',
      'kind',
      'files.relative',
      'outputs',
      'resources.gpu',
      'resources.cpu',
      'resources.memory',
      'timeout',
      'tasks',
      'maxPrice',
      'image',
      'args[0]',
    ]),
  )
})

test('job file: what does not fit together is refused', async (t) => {
  const dir = await folder(t, { 'a.wasm': '', 'x.txt': '', 'y/x.txt': '' })
  const cases: readonly (readonly [JobFlags, string])[] = [
    [{ tasks: 2, map: ['x.txt'] }, 'tasks'],
    [{ map: ['none*'] }, 'map'],
    [{ map: ['x.txt', 'y/x.txt'] }, 'map'],
    [{ kind: 'docker' }, 'kind'],
    [{ maxPrice: '0' }, 'maxPrice'],
    [{ budget: '0' }, 'budget'],
    [{ timeout: '0s' }, 'timeout'],
    [{ files: { '/../up': 'x.txt' } }, 'files./../up'],
  ]
  for (const [flags, path] of cases)
    assert.deepEqual(await refusal('a.wasm', flags, dir), ['SPEC_INVALID', [path]], path)
})

test('job file: files that are missing are named, all of them', async (t) => {
  const dir = await folder(t, {})
  assert.deepEqual(await refusal('gone.wasm', { stdin: 'no.txt', files: { '/f': 'no' } }, dir), [
    'SPEC_FILE_MISSING',
    ['module', 'stdin', 'files./f'],
  ])
  await assert.rejects(readJob('gone.yaml', {}, dir), { code: 'SPEC_FILE_MISSING' })
})

test('job file: a file beyond the limit is refused before it is read', async (t) => {
  const dir = await folder(t, { 'a.wasm': '', big: '' })
  await truncate(join(dir, 'big'), MAX_FILE_BYTES + 1)
  assert.deepEqual(await refusal('a.wasm', { stdin: 'big' }, dir), ['SPEC_INVALID', ['stdin']])
})

test('job file: a text that is not a map of fields is refused', async (t) => {
  const dir = await folder(t, { 'list.yaml': '- a', 'broken.yaml': 'a: [', 'empty.json': '' })
  for (const file of ['list.yaml', 'broken.yaml', 'empty.json'])
    assert.equal((await refusal(file, {}, dir))[0], 'SPEC_INVALID', file)
})

test('job file: fuel and the deterministic mode are for modules, by flag or field', async (t) => {
  const dir = await folder(t, {
    'a.wasm': '',
    'image.tar': '',
    'job.yaml': 'module: a.wasm\nfuel: 1000000\n',
    'bad.yaml': 'image: image.tar\nfuel: 5\ndeterministic: true\n',
  })
  const job = await readJob('job.yaml', { deterministic: true }, dir)
  assert.deepEqual([job.fuel, job.deterministic], [1_000_000, true])
  const plain = await readJob('a.wasm', {}, dir)
  assert.deepEqual([plain.fuel, plain.deterministic], [undefined, false])
  assert.deepEqual(await refusal('bad.yaml', {}, dir), ['SPEC_INVALID', ['fuel', 'deterministic']])
  assert.deepEqual(await refusal('a.wasm', { fuel: '0' }, dir), ['SPEC_INVALID', ['fuel']])
})

test('job file: a service is paid every ten seconds for a day unless it says otherwise', async (t) => {
  const dir = await folder(t, { 'a.wasm': '' })
  const read = async (service: JobFlags) => readJob('a.wasm', { service }, dir)
  const hours = await read({ for: '2h' })
  assert.deepEqual(
    [hours.timeoutMs, hours.service],
    [7200 * second, { payEveryMs: JOB_DEFAULTS.payEveryMs }],
  )
  const often = await read({ payEvery: '1s' })
  assert.deepEqual([often.timeoutMs, often.service], [MAX_TASK_TIMEOUT_MS, { payEveryMs: second }])
  assert.equal((await readJob('a.wasm', {}, dir)).service, undefined)
})

test('job file: a service is one task, paid after whole seconds', async (t) => {
  const dir = await folder(t, { 'a.wasm': '' })
  const paths = async (flags: JobFlags) => (await refusal('a.wasm', flags, dir))[1]
  assert.deepEqual(await paths({ service: { payEvery: '1500ms' } }), ['service.payEvery'])
  assert.deepEqual(await paths({ service: { for: 0, payEvery: 0 } }), [
    'service.payEvery',
    'service.for',
  ])
  assert.deepEqual(await paths({ service: { for: '1h' }, tasks: 2 }), ['service'])
})
