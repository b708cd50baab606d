import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { collect } from '../support/collect.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { openRealNetwork } from '../support/real-network.ts'

const never = { signal: new AbortController().signal }

test('finding: a call to a peer that is not connected reaches it through the DHT', async () => {
  await using network = await openRealNetwork({ nodes: 3 })
  const [caller, , server] = network.nodes
  assert.ok(caller !== undefined && server !== undefined)
  server.requests.answer('bid', async (_from, request) => request)
  await caller.libp2p.hangUp(server.libp2p.peerId)
  await caller.libp2p.peerStore.delete(server.libp2p.peerId)
  assert.equal(await caller.libp2p.peerStore.has(server.libp2p.peerId), false)
  const answer = await caller.requests.call(server.peer, 'bid', Buffer.from('x'), never)
  assert.equal(Buffer.from(answer).toString(), 'x')
})

test('finding: what a node advertised while it was alone is found by who comes later', async () => {
  const open = () =>
    openLibp2pNet(
      { logger: quietLogger(), privateKey: randomBytes(32) },
      { network: 'test', allowPrivateAddresses: true, wantedPeers: 0 },
    )
  await using early = await open()
  await early.directory.advertise(Buffer.from('advert'), ['kind=wasm'], never)
  await using late = await open()
  await late.directory.dial(early.directory.addresses()[0] ?? '', never)
  // the announcement follows the connection by itself, soon
  let found: string[] = []
  while (found.length === 0) {
    // alone, a search ends without any I/O; the event loop must still get its turn
    await turn()
    found = await collect(late.directory.find('kind=wasm', never))
  }
  assert.deepEqual(found, [early.peer])
  const advert = await late.directory.advertOf(early.peer, never)
  assert.equal(Buffer.from(advert ?? []).toString(), 'advert')
})

test('finding: networks of different names do not share what they know', async () => {
  await using network = await openRealNetwork({ nodes: 1 })
  const [node] = network.nodes
  assert.ok(node !== undefined)
  await node.directory.advertise(Buffer.from('advert'), ['kind=wasm'], never)
  await using other = await openLibp2pNet(
    { logger: quietLogger(), privateKey: randomBytes(32) },
    { network: 'other', allowPrivateAddresses: true, wantedPeers: 0 },
  )
  await other.directory.dial(node.directory.addresses()[0] ?? '', never)
  assert.deepEqual(await collect(other.directory.find('kind=wasm', never)), [])
  assert.equal(await other.directory.advertOf(node.peer, never), undefined)
})
