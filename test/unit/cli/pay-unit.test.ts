import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { JOB_DEFAULTS } from '../../../node/cli/job/job-defaults.ts'
import { readJob, type JobFlags } from '../../../node/cli/job/job-file.ts'
import { parseAmount } from '../../../node/domain/money.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'

async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-pay-'))
  t.after(() => rm(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  return dir
}

test('job file: the task is paid unless it says cpu or fuel, whose price may be higher as it is the most', async (t) => {
  const dir = await folder(t, {
    'a.wasm': '',
    'image.tar': '',
    'fuel.yaml': 'module: a.wasm\npay: fuel\nfuel: 5\nmaxPrice: 0.5\n',
  })
  const plain = await readJob('a.wasm', { pay: 'task' }, dir)
  assert.deepEqual([plain.pay, plain.maxPrice], [undefined, JOB_DEFAULTS.maxPrice])
  const cpu = await readJob('image.tar', { pay: 'cpu' }, dir)
  assert.deepEqual([cpu.pay, cpu.maxPrice], ['cpu', JOB_DEFAULTS.maxPriceByUse])
  const fuel = await readJob('fuel.yaml', {}, dir)
  assert.deepEqual([fuel.pay, fuel.fuel, fuel.maxPrice], ['fuel', 5, parseAmount('0.5')])
})

test('job file: use that is not measured cannot be paid', async (t) => {
  const dir = await folder(t, { 'a.wasm': '', 'image.tar': '' })
  const refused = async (file: string, flags: JobFlags, path: string) =>
    assert.rejects(
      readJob(file, flags, dir),
      ({ code, data }: { code?: string; data?: { problems?: string[] } }) =>
        code === 'SPEC_INVALID' && data?.problems?.[0]?.startsWith(`${path}: `) === true,
      JSON.stringify(flags),
    )
  await refused('a.wasm', { pay: 'fuel' }, 'fuel')
  await refused('a.wasm', { pay: 'second' }, 'pay')
  await refused('image.tar', { pay: 'fuel' }, 'pay')
  await refused('image.tar', { pay: 'cpu', gpu: { count: 1 } }, 'pay')
  await refused('a.wasm', { pay: 'cpu', service: { for: '1m' } }, 'pay')
})

test('run and quote: --pay is told to the providers, and a quote says at most', async (t) => {
  const dir = await folder(t, {})
  await writeFile(join(dir, 'p.wasm'), fakeImage({ stdout: 'said' }))
  await using it = await openTestApi()
  const said = async (...args: string[]) => {
    const cli = testCli({ dataDir: it.dataDir, cwd: dir })
    assert.equal(await cli.run(...args), 0, cli.stderr.text)
    return cli.stdout.text
  }
  const quoted = await said('quote', 'p.wasm', '--pay', 'cpu')
  assert.match(quoted, /^At most \S+.* for 1 task/)
  assert.match(quoted, /a task, at most/)
  assert.doesNotMatch(await said('quote', 'p.wasm'), /at most 0\.\d+ for/i)
  await said('run', 'p.wasm', '--pay', 'cpu', '--timeout', '20s')
  const [job] = await it.requester.book.list()
  assert.equal(job?.request.spec.pay, 'cpu')
  const [share] = job === undefined ? [] : await it.requester.book.sharesOf(job)
  assert.equal(share?.terms?.payPer, 'cpu')
  assert.ok((share.amount ?? 0n) > 0n && (share.amount ?? 0n) < share.price)
})
