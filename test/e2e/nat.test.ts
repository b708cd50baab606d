import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { StatusBody } from '../../node/api/schemas/node.ts'
import { LabNetwork, PROGRAMS } from './support/lab-network.ts'
import { eventually, patience } from './support/shared-network.ts'

const network = new LabNetwork({
  user: 'requester-2',
  requesters: 2,
  providers: 1,
  homes: new Map([
    ['requester-2', 0],
    ['provider-1', 1],
  ]),
  // no hole can be punched through these
  mapping: 'other',
  // who relays and who is relayed, each node finds by itself
  settings: { private: false },
})
const { skip } = network

test(
  'a provider behind one router serves a requester behind another, through a relay that any public node is, and is paid on chain',
  { skip },
  async () => {
    const provider = network.all.providers[0]
    await eventually(async () => {
      const { peers } = JSON.parse(await network.hive('peers', '--json')) as {
        peers: { peer: string; kinds?: string[] }[]
      }
      return peers.some(({ peer, kinds }) => peer === provider?.peer && kinds !== undefined)
    })
    const said = await network.hive(
      'run',
      PROGRAMS,
      '--max-price',
      '0.05',
      '--',
      'echo',
      '0',
      'through',
    )
    assert.equal(said, 'through\n')
    // it has no other way to the only other node behind a router
    const { relaying } = JSON.parse(await network.hive('status', '--json')) as StatusBody
    // both may have dialled at once
    assert.ok(relaying.connections >= 1)
    assert.deepEqual(relaying.via, [network.all.requesters[0]?.peer])
    const escrow = await openChainEscrow(
      { clock: systemClock },
      { rpc: network.all.rpc, address: network.all.contracts.escrow },
      patience(),
    )
    await using _ = escrow
    await eventually(async () => {
      const events = await escrow.events({ fromBlock: 0 }, { signal: patience() })
      return events.some(({ type }) => type === 'claimed')
    })
  },
)
