import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { CliParts } from '../../../node/cli/parts.ts'
import { fakeImage, type FakeScript } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli, type TestCli } from '../../support/test-cli.ts'

/** A folder with a program, and a command line that stands in it. */
async function place(
  t: TestContext,
  it: TestApi,
  script: FakeScript,
  parts: Partial<CliParts> & { readonly isTTY?: boolean } = {},
): Promise<TestCli & { readonly dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-run-'))
  t.after(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, 'p.wasm'), fakeImage(script))
  return { ...testCli({ dataDir: it.dataDir, cwd: dir, ...parts }), dir }
}

test('run: hands the program’s output and exit code through', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { stdout: 'to stdout', stderr: 'to stderr', exit: 3 })
  assert.equal(await hive.run('run', 'p.wasm'), 3)
  assert.equal(hive.stdout.text, 'to stdout')
  assert.match(hive.stderr.text, /to stderr/)
  assert.match(hive.stderr.text, /hive: 0x[0-9a-f]{8} settled · 1\/1 task · 1 provider/)
})

test('run: arguments come from --arg and after --, in this order', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { echoArgs: true })
  assert.equal(await hive.run('run', 'p.wasm', '--arg', '0', '--', '--flag', 'x'), 0)
  assert.match(hive.stdout.text, /--flag[\s\S]*x/)
})

test('run: standard input is the program’s where --stdin - says so', async (t) => {
  await using it = await openTestApi()
  const stdin = (async function* () {
    yield Buffer.from('from the ')
    yield Buffer.from('pipe')
  })()
  const hive = await place(t, it, { cat: true }, { stdin })
  assert.equal(await hive.run('run', 'p.wasm', '--stdin', '-'), 0)
  assert.equal(hive.stdout.text, 'from the pipe')
})

test('run: the outputs of one task are written below --out', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { write: { '/out/a.txt': 'A', '/out/sub/b.txt': 'B' } })
  assert.equal(await hive.run('run', 'p.wasm', '--out', 'results'), 0)
  assert.equal(await readFile(join(hive.dir, 'results/a.txt'), 'utf8'), 'A')
  assert.equal(await readFile(join(hive.dir, 'results/sub/b.txt'), 'utf8'), 'B')
})

test('run: each task of an array has a folder, named after its input, and its output beside it', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { stdout: 'said', write: { '/out/r': 'R' } })
  await writeFile(join(hive.dir, 'one.txt'), '1')
  await writeFile(join(hive.dir, 'two.txt'), '2')
  const line = ['run', 'p.wasm', '--map', '*.txt', '--out', 'o']
  assert.equal(await hive.run(...line), 0)
  for (const name of ['one.txt', 'two.txt']) {
    assert.equal(await readFile(join(hive.dir, 'o', name, 'r'), 'utf8'), 'R')
    assert.equal(await readFile(join(hive.dir, `o/${name}.stdout`), 'utf8'), 'said')
  }
  assert.equal(hive.stdout.text, '')
})

test('run: --json is one event a line and the end last', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { exit: 300 })
  assert.equal(await hive.run('run', 'p.wasm', '--json'), 300 % 256)
  const lines = hive.stdout.text.trimEnd().split('\n')
  const events = lines.map((line) => JSON.parse(line) as { type: string; exitCode?: number })
  assert.deepEqual(events.at(-1), { ...events.at(-1), type: 'end', exitCode: 300 % 256 })
  assert.ok(events.some(({ type }) => type === 'job'))
})

test('run: a task at its limits ends as the shell expects of limits', async (t) => {
  await using it = await openTestApi()
  const memory = await place(t, it, { hog: true })
  assert.equal(await memory.run('run', 'p.wasm'), 137)
  const time = await place(t, it, { spin: true })
  assert.equal(await time.run('run', 'p.wasm', '--timeout', '1ms'), 124)
  assert.match(time.stderr.text, /task 0 timeout/)
})

test('run: nobody to do it is our own failure, told in three parts', async (t) => {
  await using it = await openTestApi({ providers: 0 })
  const hive = await place(t, it, {})
  assert.equal(await hive.run('run', 'p.wasm', '--bid-window', '10ms'), 125)
  assert.match(hive.stderr.text, /error NO_BIDS/)
  assert.match(hive.stderr.text, /bids: 0/)
  assert.match(hive.stderr.text, /what to do: \S/)
})

test('run: too little money is told before anything is announced', async (t) => {
  await using it = await openTestApi()
  it.market.chain.fund(it.member.signing.address, 0n)
  const hive = await place(t, it, {})
  assert.equal(await hive.run('run', 'p.wasm', '--json'), 125)
  const { error } = JSON.parse(hive.stderr.text) as { error: Record<string, unknown> }
  assert.equal(error['code'], 'INSUFFICIENT_DEPOSIT')
  assert.equal(hive.stdout.text, '')
})

test('run: a bad spec needs no node to be refused', async () => {
  const hive = testCli()
  assert.equal(await hive.run('run', '/no/such.wasm', '--cpu', 'x'), 125)
  assert.match(hive.stderr.text, /SPEC_INVALID[\s\S]*resources\.cpu[\s\S]*module/)
})

test('run: the first interrupt cancels the job and waits for its end', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { spin: true })
  const ended = hive.run('run', 'p.wasm')
  await hive.stderr.wrote('running')
  hive.interrupt()
  assert.equal(await ended, 130)
  const [job] = await it.requester.book.list()
  assert.equal(job?.state, 'cancelled')
})

test('run: an interrupt stops a service, which keeps its output and is paid for what it ran', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { stdout: 'up', spin: true })
  const ended = hive.run('run', 'p.wasm', '--service', '--pay-every', '1s', '--for', '1m')
  await hive.stdout.wrote('up')
  hive.interrupt()
  assert.equal(await ended, 0)
  assert.match(hive.stderr.text, /hive: stopping/)
  const [job] = await it.requester.book.list()
  assert.deepEqual([job?.state, job?.results[0]?.reason], ['settled', 'stopped'])
})

test('run: --detach prints the id alone and leaves the job to the node', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { spin: true })
  assert.equal(await hive.run('run', 'p.wasm', '--detach'), 0)
  const [job] = await it.requester.book.list()
  assert.equal(hive.stdout.text, `${job?.id}\n`)
  assert.equal(await hive.run('run', 'p.wasm', '--detach', '--out', 'o'), 125)
  assert.match(hive.stderr.text, /INPUT_INVALID[\s\S]*--out/)
  await it.requester.cancel(job?.id ?? '')
})

test('run: the second interrupt leaves at once', async (t) => {
  await using it = await openTestApi()
  const stuck: typeof fetch = async (url, init) =>
    typeof url === 'string' && url.endsWith('/cancel') ? new Promise(() => {}) : fetch(url, init)
  const hive = await place(t, it, { spin: true }, { fetch: stuck })
  const ended = hive.run('run', 'p.wasm')
  await hive.stderr.wrote('running')
  hive.interrupt()
  hive.interrupt()
  assert.equal(await ended, 130)
  const [job] = await it.requester.book.list()
  assert.equal(job?.state, 'running')
})

test('run: on a terminal progress is redrawn in place and gone in the end', async (t) => {
  await using it = await openTestApi()
  const hive = await place(t, it, { stdout: 'out' }, { isTTY: true })
  assert.equal(await hive.run('run', 'p.wasm'), 0)
  assert.ok(hive.stderr.text.endsWith('\r\u001B[2K'))
  assert.equal(hive.stdout.text, 'out')
})

test('run: what a program says of its progress is shown in our words, and is no part of what a terminal prints', async (t) => {
  await using it = await openTestApi()
  const script = { stdout: 'o\u001B]9;4;1;42\u0007ut', sleepMs: 50 }
  const hive = await place(t, it, script, { isTTY: true })
  assert.equal(await hive.run('run', 'p.wasm'), 0)
  assert.match(hive.stderr.text, / · 42 % · /)
  assert.equal(hive.stdout.text, 'out')
})
