import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ESCROW_INTERFACE } from '../../node/adapters/chain/artifact.ts'
import { openChainEscrow, type ChainEscrowOptions } from '../../node/adapters/chain/chain-escrow.ts'
import { deployDevnet, type DevnetContracts } from '../../node/adapters/chain/deploy.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { codeOf } from '../../node/domain/errors.ts'
import { ZERO_BYTES32, type Address } from '../../node/domain/ids.ts'
import type { Escrow } from '../../node/ports/escrow.ts'
import { startChain } from '../../scripts/devnet/chain.ts'
import type { Child } from '../../scripts/devnet/child.ts'
import { escrowJudgesCases } from '../conformance/escrow-cases.ts'
import { escrowKeepsItsPromises, type EscrowStage } from '../conformance/escrow.ts'
import { testKey, testSigner } from '../support/test-signer.ts'
import { startProxy } from './chain-proxy.ts'

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

test('an endpoint that may be away is opened, and checked as soon as it answers', async () => {
  await using proxy = await startProxy(chain.ready.url)
  const where = { rpc: proxy.url, chainId: contracts.chainId, mayBeAway: true }
  const feeBps = async (escrow: Escrow) => escrow.feeBps({ signal: signal() })
  proxy.away = true
  await using escrow = await open(where)
  assert.equal(escrow.chainId, contracts.chainId)
  await assert.rejects(feeBps(escrow), (error) => codeOf(error) === 'CHAIN_UNREACHABLE')
  proxy.away = false
  assert.equal(await feeBps(escrow), 250)
})

test('an endpoint that was away and serves another chain, or no contract, is never used', async () => {
  await using proxy = await startProxy(chain.ready.url)
  const away = async (changes: { readonly chainId: number; readonly address?: Address }) => {
    proxy.away = true
    const escrow = await open({ rpc: proxy.url, mayBeAway: true, ...changes })
    proxy.away = false
    return escrow
  }
  const { chainId } = contracts
  await using another = await away({ chainId: 5 })
  await using nobody = await away({ chainId, address: `0x${'77'.repeat(20)}` })
  for (const [escrow, code] of [
    [another, 'CHAIN_WRONG'],
    [nobody, 'CHAIN_NO_CONTRACT'],
  ] as const) {
    const { signal: stop } = new AbortController()
    const refused = (error: unknown) => codeOf(error) === code
    await assert.rejects(escrow.newestBlock({ signal: stop }), refused)
    await assert.rejects(escrow.feeBps({ signal: stop }), refused)
  }
  await assert.rejects(
    open({ rpc: proxy.url, mayBeAway: true, chainId: 5 }),
    (error) => codeOf(error) === 'CHAIN_WRONG',
    'one that answers is refused at once',
  )
})

test('openings that an endpoint makes up are refused', async () => {
  const parties = await stage()
  await using _ = parties
  const { requester, provider } = parties
  await requester.escrow.deposit(10n, { signal: signal() })
  await using proxy = await startProxy(chain.ready.url)
  await using escrow = await open({ rpc: proxy.url })
  const query = { account: provider.signer.address, fromBlock: 0 }
  const made = (id: string, who: string) => [
    {
      address: contracts.escrow,
      topics: [opened, id, who, who],
      data: `0x${'00'.repeat(32 * 7)}`,
      blockNumber: '0x1',
      blockHash: ZERO_BYTES32,
      transactionHash: ZERO_BYTES32,
      transactionIndex: '0x0',
      logIndex: '0x0',
      removed: false,
    },
  ]
  const word = (address: string) => `0x${'00'.repeat(12)}${address.slice(2)}`
  const opened = ESCROW_INTERFACE.getEvent('Opened')?.topicHash ?? ''
  for (const who of [provider, requester]) {
    proxy.lie = (method) =>
      method === 'eth_getLogs' ? made(`0x${'c1'.repeat(32)}`, word(who.signer.address)) : undefined
    await assert.rejects(
      escrow.channelsOf(query, { signal: signal() }),
      (error) => codeOf(error) === 'CHAIN_ANSWER_INVALID',
    )
  }
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

async function open(changes: Partial<ChainEscrowOptions>) {
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
