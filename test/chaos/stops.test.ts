import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import { second } from '../../node/domain/units.ts'
import { ended, printedSomewhere, submit } from '../e2e/support/jobs.ts'
import { Money } from '../e2e/support/money.ts'
import { eventually } from '../e2e/support/shared-network.ts'
import { freePort, openLinkProxy, type LinkProxy, type LinkState } from './support/link-proxy.ts'
import { fault } from './support/faults.ts'
import { tell } from './support/orders.ts'
import { assertSound } from './support/soundness.ts'
import { wasmMarket } from './support/wasm-market.ts'

const links = new Map<string, LinkProxy>()
const network = wasmMarket({
  providers: 2,
  change: async (name, initial) => {
    const port = await freePort()
    const link = await openLinkProxy(port)
    links.set(name, link)
    const at = (number: number) => [`/ip4/127.0.0.1/tcp/${number}`]
    const addresses = { listen: at(port), announce: at(link.port) }
    return { ...initial, network: { ...initial.network, ...addresses } }
  },
})
after(async () => {
  for (const link of links.values()) await link[Symbol.asyncDispose]()
})
const money = new Money(network)
const requester = async () => network.client('requester-1')
const SHORT_MS = '2500'
/** Longer than it takes to tell a busy machine's node twice to stop, ms. */
const LONG_MS = '15000'
/** How long a fault lasts. */
const FAULT_MS: number = 4 * second
/** Longer than a clock is off: an offer is over for others when its window is over by their clocks. */
const PATIENT = { args: ['echo', '0', 'hi'], bidWindowMs: 40 * second, bidsWanted: 1 }
/** Beyond what a clock may be off by. */
const FAR_OFF_MS: number = 120 * second

/** The job once it runs, with the name of the provider where it does. */
async function running(ms = SHORT_MS): Promise<{ readonly id: string; readonly provider: string }> {
  const id = await submit(await requester(), { args: ['sleep', ms], bidsWanted: 1 })
  return { id, provider: network.nodeAt(await printedSomewhere(await requester(), id)).name }
}

async function settles(id: string): Promise<void> {
  const job = await ended(await requester(), id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  await assertSound(network, money)
}

/** The clocks of one side off by so much, until disposed. */
async function skewed(ms: number, side = 'requester'): Promise<AsyncDisposable> {
  const nodes = network.nodes.filter(({ role }) => role === side)
  const set = async (off: number) => {
    for (const { child } of nodes) await tell(child.process, { type: 'skew', ms: off })
  }
  await set(ms)
  return { [Symbol.asyncDispose]: async () => set(0) }
}

function setLinks(state: LinkState): void {
  for (const link of links.values()) link.set(state)
}

for (const role of ['requester', 'provider'])
  fault('process stopped and continued', `${role} while a job runs`, async () => {
    const { id, provider } = await running()
    const { process: child } = network.node(role === 'provider' ? provider : 'requester-1').child
    child.kill('SIGSTOP')
    await sleep(FAULT_MS)
    child.kill('SIGCONT')
    await settles(id)
  })

for (const state of ['down', 'stalled', 'slow'] as const)
  fault('link', `${state} while a job runs`, async () => {
    const { id } = await running()
    setLinks(state)
    await sleep(FAULT_MS).finally(() => setLinks('fine'))
    await settles(id)
    await network.everyoneMet()
  })

for (const ms of [20 * second, -20 * second])
  fault('clock', `of the requester ${ms / second} s off: within what is allowed`, async () => {
    await using _ = await skewed(ms)
    await settles(await submit(await requester(), PATIENT))
  })

for (const ms of [20 * second, -20 * second])
  fault('clock', `of the providers ${ms / second} s off: within what is allowed`, async () => {
    await using _ = await skewed(ms, 'provider')
    await settles(await submit(await requester(), PATIENT))
  })

for (const side of ['requester', 'provider'])
  for (const ms of [20 * second, -20 * second])
    fault('clock', `of a ${side} set by ${ms / second} s while a job runs`, async () => {
      const { id } = await running()
      await using _ = await skewed(ms, side)
      await settles(id)
    })

for (const ms of [FAR_OFF_MS, -FAR_OFF_MS])
  fault('clock', `of the requester ${ms / second} s off: nobody bids, and it says so`, async () => {
    {
      await using _ = await skewed(ms)
      const id = await submit(await requester(), { args: ['echo', '0', 'hi'], bidWindowMs: second })
      const job = await ended(await requester(), id)
      assert.deepEqual([job.state, job.error?.code], ['failed', 'NO_BIDS'])
    }
    await assertSound(network, money)
  })

fault('told to stop', 'a provider whose task is short: it ends it, is paid, and goes', async () => {
  const { id, provider } = await running()
  const { process: child } = network.node(provider).child
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const job = await ended(await requester(), id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  assert.equal(job.shares.length, 1)
  await gone
  await network.restart(provider)
  await assertSound(network, money)
})

fault('told to stop', 'twice: the task goes elsewhere at once', async () => {
  const { id, provider } = await running(LONG_MS)
  const { process: child } = network.node(provider).child
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const there = await network.client(provider)
  await eventually(
    async () => (await there.get<StatusBody>('/v1/status')).pausedBy === 'DECLINED_STOPPING',
  )
  child.kill('SIGTERM')
  const job = await ended(await requester(), id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  assert.deepEqual(
    job.shares.map(({ state, error }) => [state, error]),
    [
      ['failed', 'INTERRUPTED'],
      ['settled', undefined],
    ],
  )
  await gone
  await network.restart(provider)
  await assertSound(network, money)
})
