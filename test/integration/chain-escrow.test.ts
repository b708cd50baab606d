import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { deployDevnet, type DevnetContracts } from '../../node/adapters/chain/deploy.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { codeOf } from '../../node/domain/errors.ts'
import type { Address } from '../../node/domain/ids.ts'
import { startChain } from '../../scripts/devnet/chain.ts'
import type { Child } from '../../scripts/devnet/child.ts'
import { escrowJudgesCases } from '../conformance/escrow-cases.ts'
import { escrowKeepsItsPromises, type EscrowStage } from '../conformance/escrow.ts'
import { testKey, testSigner } from '../support/test-signer.ts'

let dir: string
let chain: Child<{ readonly url: string }>
let contracts: DevnetContracts & AsyncDisposable

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hive-chain-'))
  chain = await startChain(dir, AbortSignal.timeout(60_000))
  contracts = await deployDevnet(chain.ready.url, 250)
})

after(async () => {
  await contracts[Symbol.asyncDispose]()
  await chain[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

let keys = 100

const stage = async (): Promise<EscrowStage & AsyncDisposable> => {
  const parts = new AsyncDisposableStack()
  const party = async () => {
    const number = keys++
    const signer = testSigner(number)
    await contracts.fund(signer.address, 1_000_000n)
    const options = { rpc: chain.ready.url, chainId: contracts.chainId, address: contracts.escrow }
    const opened = openChainEscrow(
      { clock: systemClock, privateKey: testKey(number) },
      options,
      signal(),
    )
    return { signer, escrow: parts.use(await opened) }
  }
  return {
    requester: await party(),
    provider: await party(),
    pass: async (seconds) => {
      await rpc('evm_increaseTime', [seconds])
      await rpc('evm_mine', [])
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}

escrowKeepsItsPromises('contract over JSON-RPC', stage)
escrowJudgesCases('contract over JSON-RPC', stage)

test('an endpoint that serves another chain is refused before anything is sent', async () => {
  await assert.rejects(open({ chainId: 1 }), (error) => codeOf(error) === 'CHAIN_WRONG')
})

test('an address without a contract is refused by name', async () => {
  const address: Address = `0x${'77'.repeat(20)}`
  await assert.rejects(open({ address }), (error) => codeOf(error) === 'CHAIN_NO_CONTRACT')
})

test('an endpoint that is not there is unreachable, without waiting for ever', async () => {
  await assert.rejects(
    open({ rpc: 'http://127.0.0.1:9' }),
    (error) => codeOf(error) === 'CHAIN_UNREACHABLE',
  )
})

test('an account without gas money is told so', async () => {
  const options = { rpc: chain.ready.url, address: contracts.escrow }
  await using escrow = await openChainEscrow(
    { clock: systemClock, privateKey: testKey(250) },
    options,
    signal(),
  )
  const broke = escrow.startClose(`0x${'00'.repeat(32)}`, { signal: signal() })
  await assert.rejects(broke, (error) =>
    ['INSUFFICIENT_GAS', 'CHANNEL_UNKNOWN'].includes(codeOf(error)),
  )
  const deposit = escrow.withdraw(`0x${'11'.repeat(20)}`, 1n, { signal: signal() })
  await assert.rejects(deposit, (error) =>
    ['INSUFFICIENT_GAS', 'CHAIN_REVERTED'].includes(codeOf(error)),
  )
})

async function open(changes: { rpc?: string; chainId?: number; address?: Address }) {
  const options = { rpc: chain.ready.url, address: contracts.escrow, ...changes }
  return openChainEscrow({ clock: systemClock }, options, signal())
}

async function rpc(method: string, params: readonly unknown[]): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(chain.ready.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  assert.equal(response.status, 200)
}

function signal(): AbortSignal {
  return AbortSignal.timeout(30_000)
}

test('an escrow of the chain’s own coin: deposits bring the coin itself, withdrawals take it out', async () => {
  await using coins = await deployDevnet(chain.ready.url, 250, 'coin')
  const signer = testSigner(90)
  await coins.fund(signer.address, 0n)
  await using escrow = await openChainEscrow(
    { clock: systemClock, privateKey: testKey(90) },
    { rpc: chain.ready.url, chainId: coins.chainId, address: coins.escrow },
    signal(),
  )
  const options = { signal: signal() }
  await escrow.deposit(1000n, options)
  const before = await escrow.balances(signer.address, options)
  assert.deepEqual([before.free, before.token], [1000n, before.gas])
  const elsewhere = testSigner(91).address
  await escrow.withdraw(elsewhere, 400n, options)
  assert.equal((await escrow.balances(signer.address, options)).free, 600n)
  assert.equal((await escrow.balances(elsewhere, options)).gas, 400n)
})
