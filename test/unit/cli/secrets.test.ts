import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readJob } from '../../../node/cli/job/job-file.ts'
import { secretFlags } from '../../../node/cli/job/secret-fields.ts'
import { readSecrets } from '../../../node/cli/job/secret-values.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'

/** Must never be seen in a message. */
const LITERAL = 'hunter2-literal-9d1'

async function folder(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>) {
  const dir = await mkdtemp(join(tmpdir(), 'hive-secrets-'))
  t.after(() => rm(dir, { recursive: true }))
  for (const [path, content] of Object.entries(files)) await writeFile(join(dir, path), content)
  return dir
}

/** The code of what `work` throws, and the paths of its problems; asserts that it repeats no literal. */
async function refusal(work: () => Promise<unknown>): Promise<[string, string[]]> {
  try {
    await work()
  } catch (error) {
    assert.ok(error instanceof HiveError)
    assert.equal(JSON.stringify([error.message, error.data]).includes(LITERAL), false)
    const problems = (error.data['problems'] ?? []) as string[]
    return [error.code, problems.map((line) => line.split(': ')[0] ?? '')]
  }
  return assert.fail('it was accepted')
}

test('secrets: flags say where a value is; a value itself is refused, and not repeated', async () => {
  assert.deepEqual(secretFlags(['TOKEN=env:MY_TOKEN', 'key=file:a=b.pem']), {
    TOKEN: 'env:MY_TOKEN',
    key: 'file:a=b.pem',
  })
  const bad = [LITERAL, `TOKEN=${LITERAL}`, `=env:${LITERAL}`, `${LITERAL} x=env:A`, 'A=env:', 'A=']
  for (const text of bad)
    assert.deepEqual(await refusal(async () => secretFlags([text])), ['SECRET_ON_COMMAND_LINE', []])
})

test('secrets: a spec file names the place and the source of each', async (t) => {
  const spec = `
module: a.wasm
secrets:
  - { name: token, env: TOKEN }
  - { name: other, env: OTHER, from: file:./other.txt }
  - { name: key, path: /run/secrets/key, from: env:KEY }
`
  const dir = await folder(t, { 'a.wasm': '', 'job.yaml': spec })
  const { secrets } = await readJob('job.yaml', {}, dir)
  assert.deepEqual(secrets, [
    { slot: { name: 'token', env: 'TOKEN' }, from: { variable: 'TOKEN' } },
    { slot: { name: 'other', env: 'OTHER' }, from: { file: join(dir, 'other.txt') } },
    { slot: { name: 'key', path: '/run/secrets/key' }, from: { variable: 'KEY' } },
  ])
})

test('secrets: a flag says where the value of a known one is, and adds an unknown one', async (t) => {
  const spec = 'module: a.wasm\nsecrets: [{ name: key, path: /k/ey, from: file:nowhere }]\n'
  const dir = await folder(t, { 'a.wasm': '', 'job.yaml': spec })
  const flags = { secrets: { key: 'env:KEY', TOKEN: 'env:T', cert: 'file:c.pem' } }
  const { secrets } = await readJob('job.yaml', flags, dir)
  const added = [
    { slot: { name: 'TOKEN', env: 'TOKEN' }, from: { variable: 'T' } },
    { slot: { name: 'cert', path: '/run/secrets/cert' }, from: { file: join(dir, 'c.pem') } },
  ]
  assert.deepEqual(secrets, [
    { slot: { name: 'key', path: '/k/ey' }, from: { variable: 'KEY' } },
    ...added,
  ])
  const alone = await readJob('a.wasm', { secrets: { TOKEN: 'env:T', cert: 'file:c.pem' } }, dir)
  assert.deepEqual(alone.secrets, added)
})

test('secrets: what is wrong with them is told by path, and a value in the wrong place is not repeated', async (t) => {
  const dir = await folder(t, { 'a.wasm': '', 'x.txt': '' })
  const wrong = async (secrets: unknown, more = '') => {
    await writeFile(
      join(dir, 'job.yaml'),
      `module: a.wasm\n${more}\nsecrets: ${JSON.stringify(secrets)}\n`,
    )
    const [code, paths] = await refusal(async () => readJob('job.yaml', {}, dir))
    assert.equal(code, 'SPEC_INVALID')
    return paths
  }
  assert.deepEqual(await wrong({ TOKEN: LITERAL }), ['secrets'])
  assert.deepEqual(await wrong([`TOKEN=${LITERAL}`]), ['secrets[0]'])
  assert.deepEqual(await wrong([{ name: 'a', env: 'A', from: LITERAL }]), ['secrets[0].from'])
  assert.deepEqual(await wrong([{ name: 'a', env: 'A', value: LITERAL }]), ['secrets[0].value'])
  assert.deepEqual(await wrong([{ name: 'a', env: `${LITERAL}!` }]), ['secrets[0].env'])
  assert.deepEqual(await wrong([{ name: `${LITERAL}!`, env: 'A' }]), ['secrets[0].name'])
  assert.deepEqual(await wrong([{ name: 'a' }]), ['secrets[0]'])
  assert.deepEqual(await wrong([{ name: 'a', env: 'A', path: '/a/b' }]), ['secrets[0]'])
  assert.deepEqual(await wrong([{ name: 'a', path: '/a/b' }]), ['secrets[0].from'])
  const twice = { name: 'a', env: 'A' }
  assert.deepEqual(await wrong([twice, twice]), ['secrets'])
  assert.deepEqual(await wrong([twice], 'env: { A: plain }'), ['secrets'])
  const file = { name: 'a', path: '/in/x', from: 'file:x.txt' }
  assert.deepEqual(await wrong([file], 'files: { /in/x: x.txt }'), ['secrets'])
  assert.deepEqual(await wrong([{ ...file, path: '/out/x' }]), ['secrets'])
})

test('secrets: values are read as they are, a variable from a file without its last line break', async (t) => {
  const dir = await folder(t, { 'a.txt': 'one\r\n', 'b.bin': Uint8Array.of(0, 255, 10) })
  const from = (name: string) => ({ file: join(dir, name) })
  const values = await readSecrets(
    [
      { slot: { name: 'a', env: 'A' }, from: from('a.txt') },
      { slot: { name: 'b', path: '/k/b' }, from: from('b.bin') },
      { slot: { name: 'c', path: '/k/c' }, from: { variable: 'C' } },
    ],
    (name) => (name === 'C' ? 'sæ' : undefined),
  )
  const hex = Object.entries(values).map(([name, text]) => [name, Buffer.from(text, 'base64')])
  assert.deepEqual(hex, [
    ['a', Buffer.from('one')],
    ['b', Buffer.from([0, 255, 10])],
    ['c', Buffer.from('sæ')],
  ])
})

test('secrets: every value that cannot be had is told at once', async (t) => {
  const dir = await folder(t, { large: new Uint8Array(64 * 1024 + 1) })
  const draft = (name: string, from: { variable: string } | { file: string }) => ({
    slot: { name, env: name },
    from,
  })
  const [code, paths] = await refusal(async () =>
    readSecrets(
      [
        draft('A', { variable: 'UNSET' }),
        draft('B', { variable: 'EMPTY' }),
        draft('C', { file: join(dir, 'missing') }),
        draft('D', { file: join(dir, 'large') }),
        draft('E', { file: dir }),
      ],
      (name) => (name === 'EMPTY' ? '' : undefined),
    ),
  )
  assert.equal(code, 'SPEC_FILE_MISSING')
  assert.deepEqual(
    paths,
    ['A', 'B', 'C', 'D', 'E'].map((name) => `secrets.${name}`),
  )
})

test('hive run: a secret goes from a variable and a file to the task, and no answer of the node shows it', async (t) => {
  await using it = await openTestApi()
  const dir = await folder(t, {
    'p.wasm': fakeImage({ printEnv: 'TOKEN', copyArgs: true }),
    'k.pem': LITERAL,
  })
  const hive = testCli({
    dataDir: it.dataDir,
    cwd: dir,
    secretVariable: (name) => (name === 'MINE' ? `${LITERAL}-var` : undefined),
  })
  const line = ['--secret', 'TOKEN=env:MINE', '--secret', 'key=file:k.pem', '--out', 'o']
  const args = ['--', '/run/secrets/key', '/out/copy']
  assert.equal(await hive.run('run', 'p.wasm', ...line, ...args), 0, hive.stderr.text)
  assert.equal(await readFile(join(dir, 'o/copy'), 'utf8'), LITERAL)
  assert.match(hive.stderr.text, new RegExp(`^${LITERAL}-var$`, 'm'))
  const { jobs } = (await (await it.call('/v1/jobs')).json()) as { jobs: { id: string }[] }
  const id = jobs[0]?.id ?? ''
  for (const path of ['', `/${id}`, `/${id}/bundle`, `/${id}/events`]) {
    const text = await (await it.call(`/v1/jobs${path}`)).text()
    const encoded = Buffer.from(LITERAL).toString('base64').slice(0, 20)
    assert.equal(text.includes(LITERAL) || text.includes(encoded), false, path)
  }
  const job = await (await it.call(`/v1/jobs/${id}`)).json()
  const { request } = job as { request: { spec: { secrets: unknown } } }
  assert.deepEqual(request.spec.secrets, [
    { name: 'TOKEN', env: 'TOKEN' },
    { name: 'key', path: '/run/secrets/key' },
  ])
  assert.deepEqual((await readdir(it.dataDir)).sort(), ['api.json'])
})

test('hive run: a value on the command line is refused before anything happens, with why', async (t) => {
  const dir = await folder(t, { 'p.wasm': '' })
  const hive = testCli({ cwd: dir })
  assert.equal(await hive.run('run', 'p.wasm', '--secret', `TOKEN=${LITERAL}`), 1)
  assert.match(hive.stderr.text, /error SECRET_ON_COMMAND_LINE/)
  assert.match(hive.stderr.text, /TOKEN/)
  assert.equal(hive.stderr.text.includes(LITERAL), false)
})
