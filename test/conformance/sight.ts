import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeAt, type OpenNetwork } from '../support/test-network.ts'

const never = { signal: new AbortController().signal }
const TOPIC = '/computehive/test/offers/wasm'

/** What every Sight promises. */
export function sightKeepsItsPromises(name: string, open: OpenNetwork): void {
  test(`${name}: a connected peer that takes connections is reached, and stays connected`, async () => {
    await using network = await open({ nodes: 2 })
    const [a, b] = [nodeAt(network, 0), nodeAt(network, 1)]
    assert.equal(await a.sight.reaches(b.peer, never), true)
    assert.equal(await b.sight.reaches(a.peer, never), true)
    assert.deepEqual(
      a.directory.connected().map(({ peer }) => peer),
      [b.peer],
    )
  })

  test(`${name}: whom this node is not connected to it does not knock at`, async () => {
    await using network = await open({ nodes: 2 })
    const [a, b] = [nodeAt(network, 0), nodeAt(network, 1)]
    await network.cut(a, b)
    assert.equal(await a.sight.reaches(b.peer, never), undefined)
  })

  test(`${name}: neighbours on a topic are those that listen with this node`, async () => {
    await using network = await open({ nodes: 3 })
    assert.equal(nodeAt(network, 0).sight.neighbours(TOPIC), 0)
    for (const { gossip } of network.nodes.slice(0, 2))
      gossip.subscribe(TOPIC, { maxBytes: 8, perMinute: 8, ...never }, () => 'accept')
    await network.settled(TOPIC)
    const counts = network.nodes.map(({ sight }) => sight.neighbours(TOPIC))
    assert.deepEqual(counts, [1, 1, 0])
  })
}
