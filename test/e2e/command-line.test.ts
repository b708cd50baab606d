import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import type { JobBody, JobEventBody, JobSummary } from '../../node/api/schemas/jobs.ts'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import type { WalletBody } from '../../node/api/schemas/money.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { descendants } from '../support/child-processes.ts'
import { ended, Hive, LAUNCHER, up, type Up } from './support/hive.ts'
import { eventually, PATIENCE_MS, SharedNetwork } from './support/shared-network.ts'

const PROGRAMS = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))
const network = new SharedNetwork({
  requesters: 1,
  providers: 1,
  provider: () => ({ kinds: ['wasm'], prices: { perTask: '0.002' } }),
})

/** One user's folder and node, from `hive init` to the last command; the tests tell the story in order. */
let home = ''
let data = ''
let hive = new Hive({})
let mine: Up | undefined
let address = ''
let jobId = ''

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'hive-user-'))
  data = join(home, 'node')
  await writeFile(join(home, 'secret'), 'correct horse\n', { mode: 0o600 })
  hive = new Hive({ HIVE_PASSPHRASE_FILE: join(home, 'secret'), HIVE_DATA: data })
})
after(async () => {
  mine?.child.kill('SIGKILL')
  await rm(home, { recursive: true })
})

const json = <T>(text: string): T => JSON.parse(text) as T
const events = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => json<JobEventBody>(line))

test('init makes a node, and refuses to make another one in its place', async () => {
  const { rpc, contracts, requesters } = network.all
  const chain = [
    '--rpc',
    rpc,
    '--chain-id',
    String(contracts.chainId),
    '--escrow',
    contracts.escrow,
  ]
  const bootstrap = ['--bootstrap', requesters[0]?.addresses[0] ?? '']
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0', '--private', '--network', 'devnet']
  const made = await hive.run('init', ...chain, ...bootstrap, ...listen, '--json')
  assert.equal(made.code, 0, made.stderr)
  address = json<{ address: string }>(made.stdout).address
  const before = await readFile(join(data, 'keystore.json'), 'utf8')
  const again = await hive.refusal('init', ...chain)
  assert.deepEqual([again.exit, again.code], [1, 'ALREADY_INITIALISED'])
  assert.equal(await readFile(join(data, 'keystore.json'), 'utf8'), before)
})

test('without a node, commands that need one say so, and a job’s exit code is 125', async () => {
  const jobs = await hive.refusal('jobs')
  assert.deepEqual([jobs.exit, jobs.code], [1, 'NODE_NOT_RUNNING'])
  const run = await hive.refusal('run', PROGRAMS)
  assert.deepEqual([run.exit, run.code], [125, 'NODE_NOT_RUNNING'])
})

test('up refuses a wrong passphrase, another chain and a contract that is none', async () => {
  await writeFile(join(home, 'wrong'), 'incorrect horse\n')
  const refused = async (env: Record<string, string>) => {
    const { exit, code } = await hive.with(env).refusal('up')
    return [exit, code]
  }
  const nobody = { HIVE_CHAIN_ESCROW: '0x00000000000000000000000000000000000000aa' }
  assert.deepEqual(await refused({ HIVE_PASSPHRASE_FILE: join(home, 'wrong') }), [
    1,
    'PASSPHRASE_WRONG',
  ])
  assert.deepEqual(await refused({ HIVE_CHAIN_ID: '5' }), [1, 'CHAIN_WRONG'])
  assert.deepEqual(await refused(nobody), [1, 'CHAIN_NO_CONTRACT'])
})

test('up starts while its chain is away, and says so in its status', async () => {
  const lonely = hive.with({ HIVE_CHAIN_RPC: 'http://127.0.0.1:9' })
  const node = await up(lonely, data)
  try {
    assert.equal(node.ready.address, address)
    await eventually(async () => {
      const status = await lonely.run('status', '--json')
      return json<StatusBody>(status.stdout).chain.fault === 'CHAIN_UNREACHABLE'
    })
    const refused = await lonely.refusal('run', PROGRAMS, '--', 'echo', '0')
    assert.deepEqual([refused.exit, refused.code], [125, 'CHAIN_UNREACHABLE'])
  } finally {
    node.child.kill('SIGKILL')
    await once(node.child, 'exit')
  }
})

test('up refuses a port of its API or of the network that another program holds', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  try {
    const api = await hive.with({ HIVE_API_PORT: String(port) }).refusal('up')
    assert.deepEqual([api.exit, api.code, api.data['port']], [1, 'PORT_IN_USE', port])
    const listen = { HIVE_NETWORK_LISTEN: `/ip4/127.0.0.1/tcp/${port}` }
    const swarm = await hive.with(listen).refusal('up')
    assert.deepEqual([swarm.exit, swarm.code], [1, 'PORT_IN_USE'])
  } finally {
    other.close()
  }
})

test('after all refusals the node starts as who it is; a second one on the folder is refused', async () => {
  mine = await up(hive, data)
  assert.equal(mine.ready.address, address)
  const second = await hive.refusal('up')
  assert.deepEqual([second.exit, second.code], [1, 'DATA_LOCKED'])
  const status = await hive.run('status', '--json')
  assert.equal(json<{ address: string }>(status.stdout).address, address)
})

test('a job without money is refused with what is missing; a deposit mends it', async () => {
  await network.all.contracts.fund(address as `0x${string}`, parseAmount('10'))
  const poor = await hive.refusal('run', PROGRAMS, '--', 'echo', '0')
  assert.deepEqual([poor.exit, poor.code], [125, 'INSUFFICIENT_DEPOSIT'])
  const deposit = await hive.run('wallet', 'deposit', '5', '--json')
  assert.equal(deposit.code, 0, deposit.stderr)
  const wallet = json<WalletBody>((await hive.run('wallet', '--json')).stdout)
  assert.deepEqual(
    [wallet.free, wallet.token],
    [String(parseAmount('5')), String(parseAmount('5'))],
  )
  await eventually(async () => {
    const { peers } = json<{ peers: { kinds?: string[] }[] }>(
      (await hive.run('peers', '--json')).stdout,
    )
    return peers.some(({ kinds }) => kinds?.includes('wasm'))
  })
  const meeting = async (need: string) => {
    const found = await hive.run('peers', '--need', need, '--json')
    return json<{ peers: unknown[] }>(found.stdout).peers.length
  }
  await eventually(async () => (await meeting('kind=wasm, cores>=1')) > 0)
  assert.equal(await meeting('kind=wasm, cores>=99999'), 0)
})

test('run gives a program’s output and exit code as if it ran here', async () => {
  const own = await hive.run('run', PROGRAMS, '--', 'echo', '7', 'hello', 'there')
  assert.deepEqual([own.code, own.stdout], [7, 'hello there\n'])
  const late = await hive.run('run', PROGRAMS, '--timeout', '1s', '--', 'spin')
  assert.equal(late.code, 124, late.stderr)
})

test('run --json streams one event a line and ends with the job’s exit code', async () => {
  const out = join(home, 'out')
  const run = await hive.run(
    'run',
    PROGRAMS,
    '--tasks',
    '3',
    '--json',
    '--out',
    out,
    '--',
    'echo',
    '0',
    '{index}',
  )
  assert.equal(run.code, 0, run.stderr)
  const lines = events(run.stdout)
  const end = lines.at(-1) as unknown as { type: string; job: string; exitCode: number }
  assert.deepEqual([end.type, end.exitCode], ['end', 0])
  jobId = end.job
  assert.equal(lines.filter((each) => each.type === 'task' && each.result !== undefined).length, 3)
})

test('run --map makes a task of each file, and writes what each of them made under the name of its file', async () => {
  const tiles = join(home, 'tiles')
  const out = join(home, 'mapped')
  await mkdir(tiles)
  for (const name of ['one', 'two']) await writeFile(join(tiles, `${name}.txt`), `tile ${name}`)
  const copy = ['copy', '/in/{input}', '/out/{input}']
  const run = await hive.run(
    'run',
    PROGRAMS,
    '--map',
    join(tiles, '*.txt'),
    '--out',
    out,
    '--',
    ...copy,
  )
  assert.equal(run.code, 0, run.stderr)
  for (const name of ['one.txt', 'two.txt'])
    assert.equal(await readFile(join(out, name, name), 'utf8'), `tile ${name.slice(0, 3)}`)
})

test('run --detach leaves a job to the node; its logs are there while it runs', async () => {
  const { code, stdout } = await hive.run('run', PROGRAMS, '--detach', '--', 'line-then-spin')
  const id = stdout.trim()
  assert.equal(code, 0)
  await eventually(async () => (await hive.run('logs', id)).stdout !== '')
  assert.equal((await hive.run('cancel', id)).code, 0)
})

test('jobs, job and logs tell the same story afterwards', async () => {
  const { jobs } = json<{ jobs: JobSummary[] }>((await hive.run('jobs', '--json')).stdout)
  const summary = jobs.find(({ id }) => id === jobId)
  assert.deepEqual([summary?.state, summary?.done, summary?.failed], ['settled', 3, 0])
  const job = json<JobBody>((await hive.run('job', jobId.slice(0, 12), '--json')).stdout)
  assert.equal(job.id, jobId)
  assert.equal((await hive.run('logs', jobId, '--task', '2')).stdout, '2\n')
  const unknown = await hive.refusal('job', '0xdeadbeef')
  assert.deepEqual([unknown.exit, unknown.code], [1, 'JOB_UNKNOWN'])
})

test('an interrupt cancels the job in the foreground: exit 130, state cancelled', async () => {
  const child = hive.start('run', PROGRAMS, '--', 'line-then-spin')
  const finished = ended(child, PATIENCE_MS)
  await Promise.race([once(child.stdout ?? child, 'data'), finished])
  child.kill('SIGINT')
  assert.equal((await finished).code, 130)
  const { jobs } = json<{ jobs: JobSummary[] }>((await hive.run('jobs', '--json')).stdout)
  assert.equal(jobs[0]?.state, 'cancelled')
})

test('specs with mistakes, missing files and wrong flags are refused before anything is sent', async () => {
  const before = json<{ jobs: JobSummary[] }>((await hive.run('jobs', '--json')).stdout).jobs.length
  const spec = join(home, 'job.yaml')
  await writeFile(spec, `program: ${PROGRAMS}\nmemroy: 64MiB\ntimeout: soon\n`)
  const invalid = await hive.refusal('run', spec)
  assert.deepEqual([invalid.exit, invalid.code], [125, 'SPEC_INVALID'])
  const problems = JSON.stringify(invalid.data['problems'])
  for (const field of ['memroy', 'timeout']) assert.ok(problems.includes(field), problems)
  const missing = await hive.refusal('run', join(home, 'nothing.wasm'))
  assert.deepEqual([missing.exit, missing.code], [125, 'SPEC_FILE_MISSING'])
  assert.equal((await hive.run('run', PROGRAMS, '--nonsense')).code, 2)
  const after = json<{ jobs: JobSummary[] }>((await hive.run('jobs', '--json')).stdout).jobs.length
  assert.equal(after, before)
})

test('verify needs an endpoint and nothing else; a bundle that was tampered with is refuted', async () => {
  const { rpc, contracts } = network.all
  const file = join(home, 'proof.json')
  const trusted = ['--rpc', rpc, '--escrow', contracts.escrow, '--json']
  const nowhere = new Hive({ HIVE_DATA: join(home, 'nowhere') })
  await eventually(async () => {
    await hive.run('job', jobId, '--bundle', file)
    const { stdout } = await nowhere.run('verify', file, ...trusted)
    return json<{ findings: { verdict: string; text: string }[] }>(stdout).findings.some(
      ({ verdict, text }) => verdict === 'proven' && text.includes('paid'),
    )
  })
  assert.equal((await nowhere.run('verify', file, ...trusted)).code, 0)
  const bundle = json<{ shares: { amount: string }[] }>(await readFile(file, 'utf8'))
  for (const share of bundle.shares) share.amount = String(BigInt(share.amount) * 2n)
  await writeFile(file, JSON.stringify(bundle))
  assert.equal((await nowhere.run('verify', file, ...trusted)).code, 3)
})

test('up ends at an interrupt with 0, and takes up where it was when started again', async () => {
  assert.ok(mine !== undefined)
  const gone = once(mine.child, 'exit')
  mine.child.kill('SIGINT')
  assert.deepEqual(await gone, [0, null])
  const { code } = await hive.refusal('jobs')
  assert.equal(code, 'NODE_NOT_RUNNING')
  const env = { HIVE_PASSPHRASE_FILE: join(home, 'secret'), HIVE_DATA: data }
  const provider = { HIVE_PROVIDER_ENABLED: 'true', HIVE_PROVIDER_KINDS: 'wasm' }
  mine = await up(new Hive({ ...env, ...provider }, LAUNCHER), data)
  const { jobs } = json<{ jobs: JobSummary[] }>((await hive.run('jobs', '--json')).stdout)
  assert.ok(jobs.some(({ id, state }) => id === jobId && state === 'settled'))
})

test('as users start it, neither a node nor its runner of WASM modules leaves a core dump', async () => {
  const node = mine?.child.pid ?? 0
  const runners = await descendants('adapters/wasm/runner/main', node)
  assert.ok(runners.length > 0)
  for (const { pid } of [{ pid: node }, ...runners]) {
    const limits = await readFile(`/proc/${pid}/limits`, 'utf8')
    assert.match(limits, /^Max core file size +0 +0 /m)
  }
})
