import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WalletBody } from '../../../node/api/schemas/money.ts'
import { writeApiFile } from '../../../node/api/api-file.ts'
import { commandTree } from '../../../node/cli/program.ts'
import type { CliParts } from '../../../node/cli/parts.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi } from '../../support/test-api.ts'
import { testCli } from '../../support/test-cli.ts'
import { oneJob, TASK_PRICE, TOKEN } from '../../support/test-market.ts'

async function tempDir(): Promise<{ readonly dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'hive-cli-'))
  return { dir, [Symbol.asyncDispose]: async () => rm(dir, { recursive: true }) }
}

test('cli: every command has a description, examples, --data and --json', () => {
  const parts = { stdout: {}, stderr: {}, version: '1.2.3' } as unknown as CliParts
  const top = commandTree(parts, () => {}).commands
  assert.ok(top.length >= 12)
  for (const each of [...top, ...top.flatMap(({ commands }) => commands)]) {
    const flags = each.options.map(({ long }) => long)
    assert.ok(flags.includes('--data') && flags.includes('--json'), each.name())
    assert.notEqual(each.description(), '', each.name())
    let help = ''
    each.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    assert.match(help, /Examples:\n {2}\$ hive \S/, each.name())
  }
})

test('cli: a line that cannot be understood exits with 2, help with 0', async () => {
  const hive = testCli()
  assert.equal(await hive.run('fly'), 2)
  assert.equal(await hive.run('job'), 2)
  assert.equal(await hive.run('run', '--help'), 0)
  assert.match(hive.stdout.text, /--max-price/)
})

test('cli: tells its version', async () => {
  const hive = testCli()
  assert.equal(await hive.run('--version'), 0)
  assert.equal(hive.stdout.text, '1.2.3\n')
})

test('cli: no node in the folder is told as such', async () => {
  await using temp = await tempDir()
  const hive = testCli({ dataDir: temp.dir })
  assert.equal(await hive.run('jobs'), 1)
  assert.match(hive.stderr.text, /error NODE_NOT_RUNNING/)
})

test('cli: a node that is gone, or another program on its port, is no node', async () => {
  await using temp = await tempDir()
  const server = createServer((_request, answer) => answer.end('{"peer":"not ours"}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await writeApiFile(temp.dir, { port, token: 't', pid: 1 })
  const hive = testCli({ dataDir: temp.dir })
  assert.equal(await hive.run('status', '--json'), 1)
  assert.match(hive.stderr.text, /NODE_NOT_RUNNING/)
  await new Promise((resolve) => server.close(resolve))
  assert.equal(await hive.run('status', '--json'), 1)
  assert.equal(hive.stdout.text, '')
})

test('cli: what people read and what machines read come from the same node', async () => {
  await using it = await openTestApi({ isProvider: true })
  const hive = testCli({ dataDir: it.dataDir })
  for (const line of [
    ['status'],
    ['peers'],
    ['jobs'],
    ['jobs', '--work'],
    ['wallet'],
    ['wallet', 'balance'],
  ]) {
    assert.equal(await hive.run(...line), 0, line.join(' '))
    const before = hive.stdout.text.length
    assert.equal(await hive.run(...line, '--json'), 0, line.join(' '))
    JSON.parse(hive.stdout.text.slice(before))
  }
  assert.match(hive.stdout.text, new RegExp(it.member.signing.address))
})

test('cli: a job can be looked at, read, and cancelled when it is over', async () => {
  await using it = await openTestApi()
  await using temp = await tempDir()
  await writeFile(join(temp.dir, 'p.wasm'), fakeImage({ stdout: 'hello' }))
  const hive = testCli({ dataDir: it.dataDir, cwd: temp.dir })
  assert.equal(await hive.run('run', 'p.wasm'), 0)
  const [job] = await it.requester.book.list()
  const id = job?.id ?? ''
  assert.equal(await hive.run('job', id.slice(0, 8)), 0)
  assert.match(hive.stdout.text, /state +settled/)
  const before = hive.stdout.text.length
  assert.equal(await hive.run('logs', id, '--follow'), 0)
  assert.equal(hive.stdout.text.slice(before), 'hello')
  assert.equal(await hive.run('cancel', id), 0)
  assert.equal(await hive.run('job', '0xffff'), 1)
  assert.match(hive.stderr.text, /JOB_UNKNOWN/)
})

test('cli: what a job printed cannot steer the terminal on which its logs are read', async () => {
  await using it = await openTestApi()
  await using temp = await tempDir()
  await writeFile(join(temp.dir, 'p.wasm'), fakeImage({ stdout: 'a\x1b[2Jb' }))
  const piped = testCli({ dataDir: it.dataDir, cwd: temp.dir })
  assert.equal(await piped.run('run', 'p.wasm'), 0)
  assert.equal(piped.stdout.text, 'a\x1b[2Jb')
  const id = (await it.requester.book.list())[0]?.id ?? ''
  const terminal = testCli({ dataDir: it.dataDir, isTTY: true })
  assert.equal(await terminal.run('logs', id), 0)
  assert.equal(terminal.stdout.text, 'a^[[2Jb')
})

test('cli: money is typed in tokens, and a slip is refused before it travels', async () => {
  await using it = await openTestApi()
  const own = it.member.signing.address
  it.market.chain.fund(own, 10n ** 18n, 5n * 10n ** 18n)
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('wallet', 'deposit', '2.5'), 0)
  assert.equal(it.market.chain.free.get(own), 35n * 10n ** 17n)
  assert.equal(await hive.run('wallet', 'withdraw', '0.5', '--data', it.dataDir), 0)
  assert.equal(it.market.chain.free.get(own), 3n * 10n ** 18n)
  assert.equal(await hive.run('wallet', 'deposit', '1e3'), 1)
  assert.match(hive.stderr.text, /INPUT_INVALID/)
})

test('cli: the wallet shows what was agreed, beside the limits of that', async () => {
  const limits = { perJob: TOKEN, perDay: 2n * TOKEN, outstanding: 3n * TOKEN }
  await using it = await openTestApi({ limits })
  await oneJob(it.requester, it.member, new AbortController().signal)
  const hive = testCli({ dataDir: it.dataDir })
  assert.equal(await hive.run('wallet'), 0)
  assert.match(hive.stdout.text, /agreed +0\.001 of 2 tokens today \(UTC\), 0 of 3 not yet paid\n/)
  assert.match(hive.stdout.text, /limit +1 tokens a job\n/)
  const plain = testCli({ dataDir: it.dataDir })
  assert.equal(await plain.run('wallet', '--json'), 0)
  const { spending } = JSON.parse(plain.stdout.text) as WalletBody
  const [perJob, perDay, outstanding] = [1n, 2n, 3n].map((tokens) => (tokens * TOKEN).toString())
  assert.deepEqual(spending, {
    today: TASK_PRICE.toString(),
    outstanding: '0',
    limits: { perJob, perDay, outstanding },
  })
})

test('cli: init asks for the passphrase twice and hands on what the flags say', async () => {
  const asked: string[] = []
  const made: unknown[] = []
  const answers = ['secret', 'secret', 'one', 'other']
  const hive = testCli({
    readPassphrase: async (prompt) => {
      asked.push(prompt)
      return answers.shift()
    },
    initNode: async (request) => {
      made.push(request)
      return { address: '0x00', peer: '16U' }
    },
  })
  const line = ['init', '--rpc', 'http://x', '--chain-id', '5', '--escrow', '0x0', '--provider']
  assert.equal(await hive.run(...line, '--data', '/d'), 0)
  assert.equal(asked.length, 2)
  assert.deepEqual(made, [
    {
      dataDir: '/d',
      passphrase: 'secret',
      initial: {
        network: {},
        chain: { rpc: 'http://x', id: 5, escrow: '0x0' },
        provider: { enabled: true },
      },
    },
  ])
  assert.ok(!hive.stdout.text.includes('secret'))
  assert.equal(await hive.run(...line), 1)
  assert.equal(made.length, 1)
})

test('cli: up needs a config and a passphrase, and ends with the interrupt', async () => {
  await using temp = await tempDir()
  const hive = testCli({
    dataDir: temp.dir,
    passphraseSetting: async () => 'secret',
    upNode: async ({ signal, onReady, passphrase }) => {
      assert.equal(passphrase, 'secret')
      onReady({ peer: 'p', address: '0x', addresses: ['/a'], apiPort: 1, kinds: [] })
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    },
  })
  assert.equal(await hive.run('up'), 1)
  assert.match(hive.stderr.text, /CONFIG_MISSING/)
  const chain = `{ rpc: 'http://x', id: 1, escrow: '0x${'0'.repeat(40)}' }`
  await writeFile(join(temp.dir, 'config.yaml'), `chain: ${chain}\n`)
  const ended = hive.run('up')
  await hive.stdout.wrote('api')
  hive.interrupt()
  assert.equal(await ended, 0)
})

test('cli: devnet takes a sensible number of providers', async () => {
  const hive = testCli({ devnet: async ({ providers, onLine }) => onLine(`with ${providers}`) })
  assert.equal(await hive.run('devnet', '--providers', '2'), 0)
  assert.equal(hive.stdout.text, 'with 2\n')
  for (const bad of ['0', '-1', '99', 'x'])
    assert.equal(await hive.run('devnet', '--providers', bad), 1)
})

test('cli: a reader that leaves ends the command quietly', async () => {
  const hive = testCli({
    devnet: async () => {
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    },
  })
  assert.equal(await hive.run('devnet'), 141)
  assert.equal(hive.stderr.text, '')
})
