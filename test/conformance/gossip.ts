import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '../../node/domain/offer.ts'
import { nodeAt, type OpenNetwork, type TestNode } from '../support/test-network.ts'

const TOPIC = '/computehive/test/offers/wasm'
const never = new AbortController().signal

/** Joins the topic and keeps what came, with a promise for the first. */
function listen(node: TestNode, options: { verdict?: Verdict; maxBytes?: number } = {}) {
  const heard: string[] = []
  const first = Promise.withResolvers<string>()
  node.gossip.subscribe(
    TOPIC,
    { maxBytes: options.maxBytes ?? 1024, perMinute: 1000, signal: never },
    (bytes) => {
      const text = Buffer.from(bytes).toString()
      heard.push(text)
      first.resolve(text)
      return options.verdict ?? 'accept'
    },
  )
  return { heard, first: first.promise }
}

/** What every Gossip promises. */
export function gossipKeepsItsPromises(name: string, open: OpenNetwork): void {
  test(`${name}: a message reaches every listener and not its sender`, async () => {
    await using network = await open({ nodes: 3 })
    const [a, b, c] = network.nodes.map((node) => listen(node))
    await network.settled(TOPIC)
    const sentTo = await nodeAt(network, 0).gossip.publish(TOPIC, Buffer.from('hello'))
    const others = [nodeAt(network, 1).peer, nodeAt(network, 2).peer]
    assert.deepEqual([...sentTo].sort(), others.sort())
    assert.equal(await b?.first, 'hello')
    assert.equal(await c?.first, 'hello')
    assert.deepEqual(a?.heard, [])
  })

  test(`${name}: a node that did not join may publish`, async () => {
    await using network = await open({ nodes: 2 })
    const b = listen(nodeAt(network, 1))
    await network.settled(TOPIC)
    const sentTo = await nodeAt(network, 0).gossip.publish(TOPIC, Buffer.from('hello'))
    assert.deepEqual(sentTo, [nodeAt(network, 1).peer])
    assert.equal(await b.first, 'hello')
  })

  test(`${name}: publishing where nobody listens is told as sent to nobody`, async () => {
    await using network = await open({ nodes: 2 })
    assert.deepEqual(await nodeAt(network, 0).gossip.publish(TOPIC, Buffer.from('hello')), [])
  })

  test(`${name}: what a node accepts goes on to its neighbours, to whom the publisher did not send it`, async () => {
    await using network = await open({ nodes: 3, shape: 'star' })
    listen(nodeAt(network, 0))
    listen(nodeAt(network, 1))
    const far = listen(nodeAt(network, 2))
    await network.settled(TOPIC)
    const sentTo = await nodeAt(network, 1).gossip.publish(TOPIC, Buffer.from('hello'))
    assert.deepEqual(sentTo, [nodeAt(network, 0).peer])
    assert.equal(await far.first, 'hello')
  })

  for (const verdict of ['ignore', 'reject'] as const) {
    test(`${name}: what a node answers with ${verdict} stops there`, async () => {
      await using network = await open({ nodes: 3, shape: 'star' })
      const centre = nodeAt(network, 0)
      // the verdict depends on the text, so that the accepted one marks the end of the wait
      centre.gossip.subscribe(TOPIC, { maxBytes: 1024, perMinute: 1000, signal: never }, (bytes) =>
        Buffer.from(bytes).toString() === 'bad' ? verdict : 'accept',
      )
      listen(nodeAt(network, 1))
      const far = listen(nodeAt(network, 2))
      await network.settled(TOPIC)
      await nodeAt(network, 1).gossip.publish(TOPIC, Buffer.from('bad'))
      await nodeAt(network, 1).gossip.publish(TOPIC, Buffer.from('good'))
      await far.first
      assert.deepEqual(far.heard, ['good'])
    })
  }

  test(`${name}: bytes beyond maxBytes never reach the handler`, async () => {
    await using network = await open({ nodes: 2 })
    const b = listen(nodeAt(network, 1), { maxBytes: 4 })
    await network.settled(TOPIC)
    await nodeAt(network, 0).gossip.publish(TOPIC, Buffer.from('12345'))
    await nodeAt(network, 0).gossip.publish(TOPIC, Buffer.from('1234'))
    await b.first
    assert.deepEqual(b.heard, ['1234'])
  })

  test(`${name}: the same bytes are heard once`, async () => {
    await using network = await open({ nodes: 2 })
    const b = listen(nodeAt(network, 1))
    await network.settled(TOPIC)
    const { gossip } = nodeAt(network, 0)
    await gossip.publish(TOPIC, Buffer.from('once'))
    assert.deepEqual(await gossip.publish(TOPIC, Buffer.from('once')), [])
    await gossip.publish(TOPIC, Buffer.from('then'))
    while (b.heard.length < 2) await new Promise(setImmediate)
    assert.deepEqual(b.heard, ['once', 'then'])
  })

  test(`${name}: the others that listen on a topic are counted, oneself is not`, async () => {
    await using network = await open({ nodes: 3 })
    assert.equal(nodeAt(network, 0).gossip.listeners(TOPIC), 0)
    listen(nodeAt(network, 0))
    listen(nodeAt(network, 1))
    await network.settled(TOPIC)
    const counts = network.nodes.map(({ gossip }) => gossip.listeners(TOPIC))
    assert.deepEqual(counts, [1, 1, 2])
  })

  test(`${name}: a topic has one handler until its signal aborts`, async () => {
    await using network = await open({ nodes: 1 })
    const { gossip } = nodeAt(network, 0)
    const stop = new AbortController()
    const join = (signal: AbortSignal): void => {
      gossip.subscribe(TOPIC, { maxBytes: 8, perMinute: 1000, signal }, () => 'accept')
    }
    join(stop.signal)
    assert.throws(() => join(never), { code: 'INTERNAL' })
    stop.abort()
    join(never)
  })
}
