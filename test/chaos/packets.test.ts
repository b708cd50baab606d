import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { WalletBody } from '../../node/api/schemas/money.ts'
import type { PeerBody } from '../../node/api/schemas/node.ts'
import { minute, second } from '../../node/domain/units.ts'
import { startLocalNetwork, type LocalNetwork } from '../../scripts/devnet/local-network.ts'
import { eventually, patience } from '../e2e/support/shared-network.ts'
import { natLabMissing, openNatLab, type NatLab } from '../support/nat-lab.ts'
import { fault } from './support/faults.ts'

const skip = natLabMissing()
const MAIN = fileURLToPath(new URL('../../node/main.ts', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))
/** How long nothing gets through, ms. */
const CUT_MS: number = 5 * second
const START_MS: number = 2 * minute

let lab: NatLab
let network: LocalNetwork
let dir: string

/** A requester in the public network, a provider behind a router that can lose packets. */
before(
  async () => {
    if (skip !== false) return
    dir = await mkdtemp(join(tmpdir(), 'hive-packets-'))
    lab = await openNatLab()
    let rpc: string | undefined
    network = await startLocalNetwork({
      dir,
      requesters: 1,
      providers: 1,
      provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
      lostAfter: '60s',
      signal: AbortSignal.timeout(START_MS),
      through: (name) => (name.startsWith('provider') ? lab.behind[0] : lab.inPublic),
      change: async (name, initial) => ({
        ...initial,
        network: {
          ...initial.network,
          listen: ['/ip4/0.0.0.0/tcp/4701'],
          ...(!name.startsWith('provider') && { announce: [`/ip4/${lab.publicIp}/tcp/4701`] }),
        },
        chain: { ...initial.chain, rpc: (rpc ??= await lab.opened(initial.chain.rpc)) },
      }),
    })
    await eventually(async () => {
      const { peers } = await hive<{ peers: PeerBody[] }>('peers')
      return peers.some(({ kinds }) => kinds !== undefined)
    }, second)
  },
  { timeout: START_MS },
)

after(async () => {
  if (skip !== false) return
  await network?.[Symbol.asyncDispose]()
  await lab?.[Symbol.asyncDispose]()
  if (dir !== undefined) await rm(dir, { recursive: true })
})

function line(...args: readonly string[]): readonly [string, readonly string[]] {
  const [command = '', ...through] = lab.inPublic
  const [name = '', ...rest] = args
  const data = network.requesters[0]?.dir ?? ''
  return [command, [...through, process.execPath, MAIN, name, '--data', data, ...rest]]
}

/** What a command beside the requester answers. */
async function hive<T>(...args: readonly string[]): Promise<T> {
  const [command, rest] = line(...args, '--json')
  return JSON.parse((await promisify(execFile)(command, rest)).stdout) as T
}

/** Has the provider's router lose this part of all packets, until disposed. */
function losing(probability: number): Disposable {
  const [command = '', ...through] = lab.routers[0].on
  const rule = `FORWARD -m statistic --mode random --probability ${probability} -j DROP`.split(' ')
  const change = (how: string) => execFileSync(command, [...through, 'iptables', how, ...rule])
  change('-I')
  return { [Symbol.dispose]: () => void change('-D') }
}

/** Runs a job; `middle` is called when it has begun to print. Asserts that it ends well, and is paid once. */
async function goesThrough(middle: () => Promise<void>): Promise<void> {
  const [command, args] = line('run', PROGRAM, '--max-price', '0.05', '--', 'sleep', '3000')
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
  const options = { rpc: network.rpc, address: network.contracts.escrow }
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
