import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { type JsonRpcProvider, Transaction, Wallet } from 'ethers'
import { connectRpc } from '../../node/adapters/chain/rpc-endpoint.ts'
import {
  TransactionLane,
  type TransactionLaneOptions,
} from '../../node/adapters/chain/transaction-lane.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { codeOf } from '../../node/domain/errors.ts'
import { toHex } from '../../node/protocol/bytes.ts'
import { startChain } from '../../scripts/devnet/chain.ts'
import type { Child } from '../../scripts/devnet/child.ts'
import { testKey } from '../support/test-signer.ts'
import { startProxy, type ChainProxy } from './chain-proxy.ts'

const GWEI = 1_000_000_000n
const COIN = 10n ** 18n
/** Nobody: where the transactions of these tests go. */
const TARGET = `0x${'77'.repeat(20)}`
const rejectsWith = (code: string) => (error: unknown) => codeOf(error) === code
const signal = () => AbortSignal.timeout(30_000)

let dir: string
let chain: Child<{ readonly url: string }>
let direct: JsonRpcProvider

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hive-lane-'))
  chain = await startChain(dir, AbortSignal.timeout(60_000))
  direct = await connectRpc(chain.ready.url, undefined, signal())
})

afterEach(async () => {
  await direct.send('evm_setAutomine', [true])
  await direct.send('hardhat_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
  await mine()
})

after(async () => {
  direct.destroy()
  await chain[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

let keys = 40

/** An account with coin, behind an endpoint of its own; blocks come only when a test mines them. */
class Stage implements AsyncDisposable {
  readonly proxy: ChainProxy
  readonly wallet: Wallet
  readonly #rpc: JsonRpcProvider
  readonly #lanes = new AsyncDisposableStack()

  constructor(proxy: ChainProxy, rpc: JsonRpcProvider) {
    this.proxy = proxy
    this.#rpc = rpc
    this.wallet = new Wallet(toHex(testKey(keys++)), rpc)
  }

  static async open(balance = COIN): Promise<Stage> {
    const proxy = await startProxy(chain.ready.url)
    const stage = new Stage(proxy, await connectRpc(proxy.url, undefined, signal()))
    await direct.send('hardhat_setBalance', [stage.wallet.address, `0x${balance.toString(16)}`])
    await direct.send('evm_setAutomine', [false])
    return stage
  }

  /** A lane as after a start of the node. */
  lane(options: Partial<TransactionLaneOptions> = {}): TransactionLane {
    const parts = { clock: systemClock, rpc: this.#rpc, wallet: this.wallet }
    return this.#lanes.use(new TransactionLane(parts, { stuckAfterMs: 20_000, ...options }))
  }

  async count(): Promise<number> {
    return direct.getTransactionCount(this.wallet.address, 'latest')
  }

  /** The transactions that reached the endpoint, as soon as there are as many. */
  async sent(count: number): Promise<readonly Transaction[]> {
    await until(async () => this.proxy.sent.length >= count)
    return this.proxy.sent.map((raw) => Transaction.from(raw))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lanes.disposeAsync()
    this.#rpc.destroy()
    await this.proxy[Symbol.asyncDispose]()
  }
}

const call = (value: bigint) => ({ to: TARGET, value })

test('what an earlier life had under way is mined first, and nothing is sent that it has done', async () => {
  await using stage = await Stage.open()
  const stop = new AbortController()
  const first = stage.lane().send('pay', call(1n), stop.signal)
  await stage.sent(1)
  stop.abort(new Error('the node was stopped'))
  await assert.rejects(first)
  const again = stage
    .lane()
    .sendIf(async () => (await stage.count()) === 0, 'pay', call(1n), signal())
  await mine()
  assert.equal(await again, undefined)
  assert.equal(stage.proxy.sent.length, 1)
})

test('a transaction that pays too little: replaced at the same nonce by a dearer one, which counts', async () => {
  await using stage = await Stage.open()
  const sending = stage.lane({ stuckAfterMs: 300 }).send('pay', call(1n), signal())
  const [first] = await stage.sent(1)
  await direct.send('hardhat_setNextBlockBaseFeePerGas', [hex((first?.maxFeePerGas ?? 0n) * 2n)])
  await mine()
  assert.equal(await stage.count(), 0)
  const [, second] = await stage.sent(2)
  assert.equal(second?.nonce, first?.nonce)
  assert.ok(dearerByAnEighth(first, second))
  const receipt = await minedWhile(sending)
  assert.notEqual(receipt.hash, first?.hash)
  assert.equal(await stage.count(), 1)
})

test('the cheaper one is mined after the dearer one was sent: its receipt counts', async () => {
  await using stage = await Stage.open()
  const sending = stage.lane({ stuckAfterMs: 1_500 }).send('pay', call(1n), signal())
  const [first, second] = await stage.sent(2)
  await until(async () => (await direct.getTransaction(second?.hash ?? '')) !== null)
  await direct.send('hardhat_dropTransaction', [second?.hash])
  await direct.send('eth_sendRawTransaction', [first?.serialized])
  await mine()
  assert.equal((await sending).hash, first?.hash)
  assert.equal(await stage.count(), 1)
})

test('a transaction that the pool dropped is sent again', async () => {
  await using stage = await Stage.open()
  const sending = stage.lane({ stuckAfterMs: 300 }).send('pay', call(1n), signal())
  const [first] = await stage.sent(1)
  await until(async () => (await direct.getTransaction(first?.hash ?? '')) !== null)
  await direct.send('hardhat_dropTransaction', [first?.hash])
  await minedWhile(sending)
  assert.equal(await stage.count(), 1)
})

test('no fee is above the cap, however long nothing is mined', async () => {
  await using stage = await Stage.open()
  const options = { stuckAfterMs: 50, maxFeePerGasWei: 4n * GWEI }
  const sending = stage.lane(options).send('pay', call(1n), signal())
  await stage.sent(8)
  const fees = (await stage.sent(8)).map(({ maxFeePerGas }) => maxFeePerGas ?? 0n)
  assert.ok(fees.every((fee) => fee <= 4n * GWEI))
  await minedWhile(sending)
  assert.equal(await stage.count(), 1)
})

test('the endpoint goes away after the sending: a pause, and the receipt once it is back', async () => {
  await using stage = await Stage.open()
  const sending = stage.lane().send('pay', call(1n), signal())
  const [first] = await stage.sent(1)
  await until(async () => (await direct.getTransaction(first?.hash ?? '')) !== null)
  stage.proxy.away = true
  await mine()
  assert.equal(await Promise.race([sending.then(() => 'settled'), pause(700)]), 'waiting')
  stage.proxy.away = false
  assert.equal((await sending).hash, first?.hash)
})

test('the answer to the sending is lost: sent again as it was, and mined once', async () => {
  await using stage = await Stage.open()
  stage.proxy.loseAnswers = 1
  const sending = stage.lane().send('pay', call(1n), signal())
  const [first, again] = await stage.sent(2)
  assert.equal(again?.hash, first?.hash)
  assert.equal((await minedWhile(sending)).hash, first?.hash)
  assert.equal(await stage.count(), 1)
})

test('the endpoint is away before anything is sent: unreachable', async () => {
  await using stage = await Stage.open()
  stage.proxy.away = true
  await assert.rejects(
    stage.lane().send('pay', call(1n), signal()),
    rejectsWith('CHAIN_UNREACHABLE'),
  )
})

test('a call given up while it waits rejects with the reason, and the next one waits its turn', async () => {
  await using stage = await Stage.open()
  const stop = new AbortController()
  const given = stage.lane().send('pay', call(1n), stop.signal)
  await stage.sent(1)
  stop.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  const next = stage.lane().send('pay', call(2n), signal())
  await minedWhile(next)
  const sent = await stage.sent(2)
  assert.deepEqual(
    sent.map(({ nonce, value }) => [nonce, value]),
    [
      [0, 1n],
      [1, 2n],
    ],
  )
  assert.equal(await stage.count(), 2)
})

test('a transaction of an earlier life is stuck: the next one takes its nonce, whatever it paid', async () => {
  await using stage = await Stage.open()
  const fees = { maxFeePerGas: 20n * GWEI, maxPriorityFeePerGas: 10n * GWEI }
  const earlier = await stage.wallet.sendTransaction({ ...call(1n), ...fees })
  const sending = stage.lane({ stuckAfterMs: 300 }).send('pay', call(2n), signal())
  await until(async () => (await direct.getTransaction(earlier.hash)) === null)
  const receipt = await minedWhile(sending)
  const mined = await direct.getTransaction(receipt.hash)
  assert.deepEqual([mined?.nonce, mined?.value], [0, 2n])
  assert.equal(await stage.count(), 1)
})

test('another program uses the nonce: the call is sent again at the next', async () => {
  await using stage = await Stage.open()
  const sending = stage.lane().send('pay', call(1n), signal())
  const [first] = await stage.sent(1)
  await until(async () => (await direct.getTransaction(first?.hash ?? '')) !== null)
  await direct.send('hardhat_dropTransaction', [first?.hash])
  const elsewhere = new Wallet(stage.wallet.privateKey, direct)
  await elsewhere.sendTransaction({ ...call(3n), nonce: 0 })
  await mine()
  const [, second] = await stage.sent(2)
  assert.deepEqual([second?.nonce, second?.value], [1, 1n])
  assert.equal((await minedWhile(sending)).hash, second?.hash)
})

test('an account that cannot pay for gas is told so', async () => {
  await using stage = await Stage.open(1000n)
  await assert.rejects(
    stage.lane().send('pay', call(1n), signal()),
    rejectsWith('INSUFFICIENT_GAS'),
  )
})

test('three confirmations: the receipt counts in the third block, and not before', async () => {
  await using stage = await Stage.open()
  const sending = stage.lane({ confirmations: 3 }).send('pay', call(1n), signal())
  await stage.sent(1)
  await until(async () => (await direct.getTransactionCount(stage.wallet.address, 'pending')) === 1)
  await mine()
  await mine()
  assert.equal(await Promise.race([sending.then(() => 'settled'), pause(1_200)]), 'waiting')
  await mine()
  const { block } = await sending
  assert.equal((await direct.getBlockNumber()) - block, 2)
})

test('a reorganisation takes a transaction out before it is confirmed: sent again', async () => {
  await using stage = await Stage.open()
  const snapshot: unknown = await direct.send('evm_snapshot', [])
  const options = { confirmations: 2, stuckAfterMs: 500 }
  const sending = stage.lane(options).send('pay', call(1n), signal())
  const [first] = await stage.sent(1)
  await until(async () => (await direct.getTransaction(first?.hash ?? '')) !== null)
  await mine()
  assert.equal(await stage.count(), 1)
  await direct.send('evm_revert', [snapshot])
  assert.equal(await stage.count(), 0)
  await minedWhile(sending)
  assert.equal(await stage.count(), 1)
})

/** Mines until the transaction is through. */
async function minedWhile<T>(sending: Promise<T>): Promise<T> {
  let done = false
  const settled = sending.finally(() => (done = true))
  await Promise.race([
    settled,
    until(async () => {
      await mine()
      return done
    }),
  ])
  return settled
}

async function mine(): Promise<void> {
  await direct.send('evm_mine', [])
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const patience = signal()
  while (!(await isSo())) await systemClock.sleep(20, patience)
}

async function pause(ms: number): Promise<'waiting'> {
  await systemClock.sleep(ms, signal())
  return 'waiting'
}

function dearerByAnEighth(before: Transaction | undefined, now: Transaction | undefined): boolean {
  const dearer = (a: bigint | null = 0n, b: bigint | null = 0n) =>
    (b ?? 0n) * 1000n >= (a ?? 0n) * 1125n
  return (
    dearer(before?.maxFeePerGas, now?.maxFeePerGas) &&
    dearer(before?.maxPriorityFeePerGas, now?.maxPriorityFeePerGas)
  )
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}
