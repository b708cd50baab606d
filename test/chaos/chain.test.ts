import assert from 'node:assert/strict'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import { second } from '../../node/domain/units.ts'
import { ended, printedSomewhere, submit } from '../e2e/support/jobs.ts'
import { Money } from '../e2e/support/money.ts'
import { eventually } from '../e2e/support/shared-network.ts'
import { fault } from './support/faults.ts'
import { openRpcProxy, type RpcProxy, type RpcTrouble } from './support/rpc-proxy.ts'
import { assertSound } from './support/soundness.ts'
import { wasmMarket } from './support/wasm-market.ts'

const proxies = new Map<string, RpcProxy>()
const network = wasmMarket({
  change: async (name, initial) => {
    const proxy = await openRpcProxy(initial.chain.rpc)
    proxies.set(name, proxy)
    return { ...initial, chain: { ...initial.chain, rpc: proxy.url, reconcileEvery: '1s' } }
  },
})
after(async () => {
  for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]()
})
const money = new Money(network)
const requester = async () => network.client('requester-1')
const SHORT = { args: ['echo', '0', 'hi'], bidsWanted: 1 }
const LONG = { args: ['sleep', '2500'], bidsWanted: 1 }

function set(
  trouble: RpcTrouble | undefined,
  names: readonly string[] = [...proxies.keys()],
): void {
  for (const name of names) {
    const proxy = proxies.get(name)
    if (proxy !== undefined) proxy.trouble = trouble
  }
}

/** Speaks to the chain as its miners could. */
async function chain(method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(network.all.rpc, { method: 'POST', headers, body })
  return ((await answer.json()) as { result: unknown }).result
}

async function settles(id: string): Promise<void> {
  const job = await ended(await requester(), id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
}

/** Whether a node says that its chain gives no answer. */
async function isAway(name: string): Promise<boolean> {
  const { chain: seen } = await (await network.client(name)).get<StatusBody>('/v1/status')
  return seen.fault === 'CHAIN_UNREACHABLE'
}

for (const trouble of ['refuses', 'hangs', 'answers 500', 'answers rubbish'] as const)
  fault('RPC down', `it ${trouble} while a job runs`, async () => {
    const id = await submit(await requester(), LONG)
    await printedSomewhere(await requester(), id)
    set(trouble)
    try {
      await settles(id)
      await sleep(1 * second)
    } finally {
      set(undefined)
    }
    await assertSound(network, money)
  })

fault(
  'RPC down',
  'nobody can look at the chain when a job is submitted: it is refused',
  async () => {
    set('refuses')
    try {
      await assert.rejects(submit(await requester(), SHORT), { code: 'CHAIN_UNREACHABLE' })
    } finally {
      set(undefined)
    }
    await assertSound(network, money)
  },
)

fault('RPC down', 'the provider cannot look at the chain when it gets the job', async () => {
  set('refuses', ['provider-1'])
  const id = await submit(await requester(), SHORT)
  try {
    await sleep(2 * second)
  } finally {
    set(undefined)
  }
  await settles(id)
  await assertSound(network, money)
})

for (const [name, trouble] of [
  ['requester-1', 'refuses'],
  ['requester-1', 'hangs'],
  ['provider-1', 'refuses'],
] as const)
  fault('RPC down', `it ${trouble} while ${name} is killed and starts again`, async () => {
    const id = await submit(await requester(), LONG)
    await printedSomewhere(await requester(), id)
    set(trouble, [name])
    try {
      await network.kill(name)
      await network.restart(name)
      await eventually(async () => isAway(name))
      await settles(id)
    } finally {
      set(undefined)
    }
    await assertSound(network, money)
    await eventually(async () => !(await isAway(name)))
  })

fault('reorganisation', 'of a claim', async () => {
  const before = await chain('evm_snapshot')
  await settles(await submit(await requester(), SHORT))
  await money.settled()
  assert.equal(await chain('evm_revert', before), true)
  await assertSound(network, money)
})

fault('reorganisation', 'of a claim, in the middle of the next job', async () => {
  const before = await chain('evm_snapshot')
  await settles(await submit(await requester(), SHORT))
  await money.settled()
  const id = await submit(await requester(), LONG)
  await printedSomewhere(await requester(), id)
  assert.equal(await chain('evm_revert', before), true)
  await settles(id)
  await assertSound(network, money)
})
