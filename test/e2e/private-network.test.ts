import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { PeerBody, StatusBody } from '../../node/api/schemas/node.ts'
import { NodeClient } from '../../node/cli/node-client.ts'
import { startLocalNetwork, type LocalNode } from '../../scripts/devnet/local-network.ts'
import { Hive } from './support/hive.ts'
import { eventually } from './support/shared-network.ts'

const PROGRAMS = fileURLToPath(new URL('../vectors/wasm/programs.wasm', import.meta.url))
/** Asking every peer for its advert takes its quota: once a second. */
const MEET_EVERY_MS = 1000
/** How long a chain and three nodes may take to start, ms. */
const START_MS = 120_000

const ask = async <T>(node: LocalNode | undefined, path: string): Promise<T> =>
  (await NodeClient.open(node?.dir ?? '', fetch)).get<T>(path)

test('nodes that have the key of their network meet and trade; one without it is alone and is told of the key', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-key-'))
  t.after(async () => rm(dir, { recursive: true }))
  const keyFile = join(dir, 'network.key')
  const made = await new Hive({}).run('network-key', keyFile)
  assert.equal(made.code, 0, made.stderr)

  await using network = await startLocalNetwork({
    dir,
    requesters: 1,
    providers: 2,
    provider: () => ({ kinds: ['wasm'], resources: { cpu: 1, memory: '1GiB', disk: '1GiB' } }),
    change: async (name, initial) => ({
      ...initial,
      network: { ...initial.network, ...(name !== 'provider-2' && { keyFile }) },
    }),
    signal: AbortSignal.timeout(START_MS),
  })
  const [requester] = network.requesters
  const [insider, outsider] = network.providers
  await eventually(async () => {
    const { peers } = await ask<{ peers: PeerBody[] }>(requester, '/v1/peers')
    return peers.some(({ peer, kinds }) => peer === insider?.peer && kinds !== undefined)
  }, MEET_EVERY_MS)
  const hive = new Hive({ HIVE_DATA: requester?.dir ?? '' })
  const ran = await hive.run('run', PROGRAMS, '--', 'echo', '0', 'among ourselves')
  assert.deepEqual([ran.code, ran.stdout], [0, 'among ourselves\n'], ran.stderr)

  await eventually(async () => {
    const { visibility } = await ask<StatusBody>(outsider, '/v1/status')
    return visibility?.faults.includes('NODE_ALONE') === true
  })
  const told = await new Hive({ HIVE_DATA: outsider?.dir ?? '' }).run('status')
  assert.match(told.stdout, /network\.keyFile/)
  const { peers } = await ask<{ peers: PeerBody[] }>(requester, '/v1/peers')
  assert.deepEqual(
    peers.map(({ peer }) => peer),
    [insider?.peer],
  )
})
