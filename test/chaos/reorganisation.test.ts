import assert from 'node:assert/strict'
import { ended, printedSomewhere, submit } from '../e2e/support/jobs.ts'
import { Money } from '../e2e/support/money.ts'
import { fault } from './support/faults.ts'
import { assertSound } from './support/soundness.ts'
import { wasmMarket } from './support/wasm-market.ts'

/** A chain that forgets the opening of channels: each requester has none before its test. */
const network = wasmMarket({
  requesters: 2,
  change: async (_, initial) => ({
    ...initial,
    chain: { ...initial.chain, reconcileEvery: '1s' },
  }),
})
const money = new Money(network)
/** Speaks to the chain as its miners could. */
async function chain(method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(network.all.rpc, { method: 'POST', headers, body })
  return ((await answer.json()) as { result: unknown }).result
}

fault('reorganisation', 'of the opening of a channel, and of all that followed', async () => {
  const point = await chain('evm_snapshot')
  const client = await network.client('requester-1')
  const id = await submit(client, { args: ['echo', '0', 'hi'], bidsWanted: 1 })
  assert.equal((await ended(client, id)).state, 'settled')
  await money.settled('requester-1')
  assert.equal(await chain('evm_revert', point), true)
  await assertSound(network, money)
})

fault('reorganisation', 'of the opening of a channel while its first job runs', async () => {
  const point = await chain('evm_snapshot')
  const client = await network.client('requester-2')
  const id = await submit(client, { args: ['sleep', '2500'], bidsWanted: 1 })
  await printedSomewhere(client, id)
  assert.equal(await chain('evm_revert', point), true)
  const job = await ended(client, id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  await assertSound(network, money)
})

fault('reorganisation', 'noticed only by the award of the next job', async () => {
  const point = await chain('evm_snapshot')
  const client = await network.client('requester-2')
  const first = await submit(client, { args: ['echo', '0', 'hi'], bidsWanted: 1 })
  assert.equal((await ended(client, first)).state, 'settled')
  assert.equal(await chain('evm_revert', point), true)
  const id = await submit(client, { args: ['echo', '0', 'hi'], bidsWanted: 1 })
  const job = await ended(client, id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  await assertSound(network, money)
})
