import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { WalletBody } from '../../node/api/schemas/money.ts'
import { second } from '../../node/domain/units.ts'
import { LabNetwork, PROGRAMS } from '../e2e/support/lab-network.ts'
import { eventually, patience } from '../e2e/support/shared-network.ts'
import { fault } from './support/faults.ts'

/** How long nothing gets through, ms. */
const CUT_MS: number = 5 * second

/** A requester in the public network, a provider behind a router that can lose packets. */
const network = new LabNetwork({
  user: 'requester-1',
  requesters: 1,
  providers: 1,
  lostAfter: '60s',
  homes: new Map([['provider-1', 0]]),
})
const { skip } = network

/** What a command of the requester answers. */
async function hive<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await network.hive(...args, '--json')) as T
}

/** Has the provider's router lose this part of all packets, until disposed. */
function losing(probability: number): Disposable {
  const [command = '', ...through] = network.lab.routers[0].on
  const rule = `FORWARD -m statistic --mode random --probability ${probability} -j DROP`.split(' ')
  const change = (how: string) => execFileSync(command, [...through, 'iptables', how, ...rule])
  change('-I')
  return { [Symbol.dispose]: () => void change('-D') }
}

/** Runs a job; `middle` is called when it has begun to print. Asserts that it ends well, and is paid once. */
async function goesThrough(middle: () => Promise<void>): Promise<void> {
  const job = ['run', PROGRAMS, '--max-price', '0.05', '--', 'sleep', '3000']
  const [command, args] = network.line(...job)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [said, complaint] = ['', '']
  const begun = Promise.withResolvers<void>()
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    begun.resolve()
  })
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const closed = once(child, 'close')
  await Promise.race([begun.promise, closed])
  await middle()
  const [code] = (await closed) as [number | null]
  assert.deepEqual([code, said], [0, 'before\nafter\n'], complaint)
  const options = { rpc: network.all.rpc, address: network.all.contracts.escrow }
  await using escrow = await openChainEscrow({ clock: systemClock }, options, patience())
  await eventually(async () => {
    const { channels } = await hive<WalletBody>('wallet')
    const promised = channels.reduce((sum, each) => sum + BigInt(each.promised), 0n)
    const events = await escrow.events({ fromBlock: 0 }, { signal: patience() })
    const claimed = events.reduce(
      (sum, each) => sum + (each.type === 'claimed' ? each.paid : 0n),
      0n,
    )
    assert.ok(claimed <= promised, 'no more is claimed than was promised')
    return claimed === promised
  }, second)
}

fault(
  'packets',
  'one in ten lost, both ways, all through a job',
  async () => {
    using _ = losing(0.1)
    await goesThrough(async () => undefined)
  },
  skip,
)

fault(
  'packets',
  'all lost for a while in the middle of a job',
  async () =>
    goesThrough(async () => {
      using _ = losing(1)
      await sleep(CUT_MS)
    }),
  skip,
)
