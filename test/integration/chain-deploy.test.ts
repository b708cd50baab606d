import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonRpcProvider } from 'ethers'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { sealKeystore } from '../../node/adapters/chain/keystore.ts'
import { connectRpc } from '../../node/adapters/chain/rpc-endpoint.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { startChain } from '../../scripts/devnet/chain.ts'
import type { Child } from '../../scripts/devnet/child.ts'
import type { Deployment } from '../../scripts/deploy/deploy-escrow.ts'
import { testKey, testSigner } from '../support/test-signer.ts'

const OWNER = `0x${'0a'.repeat(20)}`
const TREASURY = `0x${'0b'.repeat(20)}`
const SCRIPT = fileURLToPath(new URL('../../scripts/deploy/main.ts', import.meta.url))
const signal = () => AbortSignal.timeout(120_000)

let dir: string
let chain: Child<{ readonly url: string }>
let rpc: JsonRpcProvider

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hive-deploy-'))
  chain = await startChain(dir, signal())
  rpc = await connectRpc(chain.ready.url, undefined, signal())
})

after(async () => {
  rpc.destroy()
  await chain[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

test('a keystore pays: the escrow answers at the address written, with what it was told', async () => {
  const deployer = testSigner(90).address
  await rpc.send('hardhat_setBalance', [deployer, '0xde0b6b3a7640000'])
  const [keystore, passphrase] = [join(dir, 'keystore.json'), join(dir, 'passphrase')]
  await writeFile(keystore, await sealKeystore(testKey(90), 'open sesame'))
  await writeFile(passphrase, 'open sesame\n')
  const { code, stdout, deployment } = await deploy({
    KEYSTORE: keystore,
    PASSPHRASE_FILE: passphrase,
  })
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), deployment)
  assert.deepEqual(
    [deployment?.owner, deployment?.treasury, deployment?.feeBps],
    [OWNER, TREASURY, 125],
  )
  const options = { rpc: chain.ready.url, address: deployment?.escrow ?? '0x' }
  await using escrow = await openChainEscrow({ clock: systemClock }, options, signal())
  assert.equal(await escrow.feeBps({ signal: signal() }), 125)
  const mined = await rpc.getTransaction(deployment?.transaction ?? '')
  assert.equal(mined?.from.toLowerCase(), deployer)
  assert.equal(mined?.blockNumber, deployment?.block)
})

test('an account that the endpoint has unlocked pays, and a token that is there is used', async () => {
  const [account] = (await rpc.send('eth_accounts', [])) as string[]
  const first = await deploy({ ACCOUNT: account ?? '' })
  const second = await deploy({ ACCOUNT: account ?? '', TOKEN: first.deployment?.token ?? '' })
  assert.equal(second.code, 0)
  assert.equal(second.deployment?.token, first.deployment?.token)
  assert.notEqual(second.deployment?.escrow, first.deployment?.escrow)
})

test('a deployment that was killed goes on where it was: nothing is sent twice', async () => {
  const [account] = (await rpc.send('eth_accounts', [])) as [string]
  const OUT = join(dir, 'killed', 'deployment.json')
  const before = await rpc.getTransactionCount(account)
  await rpc.send('evm_setAutomine', [false])
  const kill = new AbortController()
  const killed = deploy({ ACCOUNT: account, OUT }, kill.signal)
  await sentOf(OUT)
  kill.abort()
  assert.notEqual((await killed).code, 0)
  await rpc.send('evm_setAutomine', [true])
  await rpc.send('evm_mine', [])
  const resumed = await deploy({ ACCOUNT: account, OUT })
  assert.equal(resumed.code, 0, resumed.stderr)
  // token, escrow, verifier
  assert.equal(await rpc.getTransactionCount(account), before + 3)
  const again = await deploy({ ACCOUNT: account, OUT })
  assert.deepEqual(again.deployment, resumed.deployment)
  const other = await deploy({ ACCOUNT: account, OUT, FEE_BPS: '126' })
  assert.match(other.stderr, /INPUT_INVALID[^]*HIVE_DEPLOY_OUT/)
  assert.equal(await rpc.getTransactionCount(account), before + 3)
})

test('settings are refused all at once, and nothing is sent', async () => {
  const { code, stderr } = await deploy({ FEE_BPS: '501', OWNER: `0x${'00'.repeat(20)}` })
  assert.equal(code, 1)
  for (const name of ['FEE_BPS', 'OWNER', 'KEYSTORE', 'PASSPHRASE_FILE'])
    assert.match(stderr, new RegExp(`HIVE_DEPLOY_${name}: `))
})

test('an endpoint of another chain, and a token that is none, are refused before anything is sent', async () => {
  const [account] = (await rpc.send('eth_accounts', [])) as [string]
  const before = await rpc.getTransactionCount(account)
  const wrong = await deploy({ ACCOUNT: account, CHAIN_ID: '1' })
  assert.match(wrong.stderr, /CHAIN_WRONG/)
  const none = await deploy({ ACCOUNT: account, TOKEN: OWNER })
  assert.match(none.stderr, /INPUT_INVALID[^]*HIVE_DEPLOY_TOKEN/)
  assert.deepEqual([wrong.code, none.code], [1, 1])
  assert.equal(await rpc.getTransactionCount(account), before)
})

/** Waits until the journal has a transaction: until then nobody but the chain knows of it. */
async function sentOf(out: string): Promise<void> {
  const timeout = signal()
  const journal = () => readFile(`${out}.journal/journal.jsonl`, 'utf8').catch(() => '') // not begun
  while (!(await journal()).includes('"TRANSACTION_SEND"')) timeout.throwIfAborted()
}

/** Runs the script in a process of its own. */
async function deploy(changes: Readonly<Record<string, string>>, kill?: AbortSignal) {
  const out = changes['OUT'] ?? join(dir, randomUUID(), 'deployment.json')
  await mkdir(dirname(out), { recursive: true })
  const settings = {
    RPC: chain.ready.url,
    CHAIN_ID: '31337',
    TOKEN: 'test',
    OWNER,
    TREASURY,
    FEE_BPS: '125',
    ...changes,
    OUT: out,
  }
  const named = Object.entries(settings).map(([name, value]) => [`HIVE_DEPLOY_${name}`, value])
  const child = spawn(process.execPath, [SCRIPT], {
    env: Object.fromEntries(named) as Record<string, string>,
    signal: signal(),
  })
  kill?.addEventListener('abort', () => child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  const written = await readFile(out, 'utf8').catch(() => undefined) // not written when refused
  const deployment = written === undefined ? undefined : (JSON.parse(written) as Deployment)
  return { code, stdout, stderr, deployment }
}
