import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import { startLocalNetwork, type LocalNetwork } from '../../scripts/devnet/local-network.ts'
import { natLabMissing, openNatLab, type NatLab } from '../support/nat-lab.ts'
import { eventually, patience } from './support/shared-network.ts'

const skip = natLabMissing()
const MAIN = fileURLToPath(new URL('../../node/main.ts', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))
const LISTEN = ['/ip4/0.0.0.0/tcp/4701']
/** Behind which router each node is; others are in the public network. */
const HOMES: ReadonlyMap<string, 0 | 1> = new Map([
  ['requester-2', 0],
  ['provider-1', 1],
])
/** What no default says; who relays and who is relayed, each node finds by itself. */
const NETWORK = { listen: LISTEN, private: false } as const

/** How long a lab, a chain and three nodes may take to start, ms. */
const START_MS = 120_000

let lab: NatLab
let network: LocalNetwork
let dir: string

before(
  async () => {
    if (skip !== false) return
    dir = await mkdtemp(join(tmpdir(), 'hive-nat-'))
    // no hole can be punched through these
    lab = await openNatLab('other')
    let rpc: string | undefined
    network = await startLocalNetwork({
      dir,
      requesters: 2,
      providers: 1,
      provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
      signal: AbortSignal.timeout(START_MS),
      through: (name) => homeOf(name),
      change: async (name, initial) => ({
        ...initial,
        network: {
          ...initial.network,
          ...NETWORK,
          ...(!HOMES.has(name) && { announce: [`/ip4/${lab.publicIp}/tcp/4701`] }),
        },
        chain: { ...initial.chain, rpc: (rpc ??= await lab.opened(initial.chain.rpc)) },
      }),
    })
  },
  { timeout: START_MS },
)

after(async () => {
  if (skip !== false) return
  await network?.[Symbol.asyncDispose]()
  await lab?.[Symbol.asyncDispose]()
  if (dir !== undefined) await rm(dir, { recursive: true })
})

function homeOf(name: string): readonly string[] {
  const router = HOMES.get(name)
  return router === undefined ? lab.inPublic : lab.behind[router]
}

/** Runs a command line beside the requester behind the first router. */
async function hive(name: string, ...args: readonly string[]): Promise<string> {
  const [command = '', ...through] = lab.behind[0]
  const node = network.requesters[1]
  const line = [...through, process.execPath, MAIN, name, '--data', node?.dir ?? '', ...args]
  const { stdout } = await promisify(execFile)(command, line)
  return stdout
}

test(
  'a provider behind one router serves a requester behind another, through a relay that any public node is, and is paid on chain',
  { skip },
  async () => {
    const provider = network.providers[0]
    await eventually(async () => {
      const { peers } = JSON.parse(await hive('peers', '--json')) as {
        peers: { peer: string; kinds?: string[] }[]
      }
      return peers.some(({ peer, kinds }) => peer === provider?.peer && kinds !== undefined)
    })
    const said = await hive('run', PROGRAM, '--max-price', '0.05', '--', 'echo', '0', 'through')
    assert.equal(said, 'through\n')
    // it has no other way to the only other node behind a router
    const { relaying } = JSON.parse(await hive('status', '--json')) as StatusBody
    // both may have dialled at once
    assert.ok(relaying.connections >= 1)
    assert.deepEqual(relaying.via, [network.requesters[0]?.peer])
    const escrow = await openChainEscrow(
      { clock: systemClock },
      { rpc: network.rpc, address: network.contracts.escrow },
      patience(),
    )
    await using _ = escrow
    await eventually(async () => {
      const events = await escrow.events({ fromBlock: 0 }, { signal: patience() })
      return events.some(({ type }) => type === 'claimed')
    })
  },
)
