import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { decodeAnswer, maxAnswerFrameBytes } from '../../node/adapters/libp2p/answer-codec.ts'
import { encodeLength } from '../../node/adapters/libp2p/frame-decoder.ts'
import { FramedStream } from '../../node/adapters/libp2p/framed-stream.ts'
import type { Libp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { HiveError } from '../../node/domain/errors.ts'
import { PROTOCOLS } from '../../node/protocol/protocols.ts'
import { openRealNetwork, type RealNetwork } from '../support/real-network.ts'

const never = new AbortController().signal
const hello = Buffer.from('hello')
const TOPIC = '/computehive/test/offers/wasm'

function pair(network: RealNetwork): [Libp2pNet, Libp2pNet] {
  const [a, b] = network.nodes
  assert.ok(a !== undefined && b !== undefined)
  return [a, b]
}

/** A stream to a protocol without any of the caller's manners. */
async function openRaw(from: Libp2pNet, to: Libp2pNet, id: string) {
  return await from.libp2p.dialProtocol(to.libp2p.peerId, id)
}

test('hostile caller: one that keeps no quota of its own gets PEER_QUOTA', async () => {
  await using network = await openRealNetwork({ nodes: 2 })
  const [caller, server] = pair(network)
  let handled = 0
  server.requests.answer('advert', async () => {
    handled += 1
    return hello
  })
  const { id, perPeerPerMinute, maxResponseBytes } = PROTOCOLS.advert
  const ask = async (): Promise<Uint8Array> => {
    const framed = new FramedStream(
      await openRaw(caller, server, id),
      maxAnswerFrameBytes(maxResponseBytes),
    )
    await framed.write(hello, never)
    await framed.closeWrite(never)
    return (await framed.read(never)) ?? new Uint8Array()
  }
  for (let sent = 0; sent < perPeerPerMinute; sent += 1) await ask()
  const refused = await ask()
  assert.throws(() => decodeAnswer(refused, maxResponseBytes), { code: 'PEER_QUOTA' })
  assert.equal(handled, perPeerPerMinute)
})

test('hostile caller: a request announced as too large never reaches the handler', async () => {
  await using network = await openRealNetwork({ nodes: 2 })
  const [caller, server] = pair(network)
  server.requests.answer('bid', () => assert.fail('must not be called'))
  const stream = await openRaw(caller, server, PROTOCOLS.bid.id)
  const framed = new FramedStream(stream, maxAnswerFrameBytes(PROTOCOLS.bid.maxResponseBytes))
  stream.send(encodeLength(PROTOCOLS.bid.maxRequestBytes + 1))
  const answer = (await framed.read(never)) ?? new Uint8Array()
  assert.throws(() => decodeAnswer(answer, PROTOCOLS.bid.maxResponseBytes), {
    code: 'MESSAGE_TOO_LARGE',
  })
})

test('hostile caller: one that vanishes in a conversation, its connection open, is STREAM_CUT in time', async () => {
  await using network = await openRealNetwork({ nodes: 2, timeoutMs: 200 })
  const [caller, server] = pair(network)
  const ended = Promise.withResolvers<unknown>()
  server.requests.answerDuplex('exec', async (_from, _request, line) => {
    await line.read().then(ended.resolve, ended.resolve)
  })
  const stream = await openRaw(caller, server, PROTOCOLS.exec.id)
  stream.send(Buffer.concat([encodeLength(hello.length), hello]))
  const fault = await ended.promise
  assert.ok(fault instanceof HiveError)
  assert.equal(fault.code, 'STREAM_CUT')
})

test('hostile caller: a request that never comes does not hold its stream', async () => {
  await using network = await openRealNetwork({ nodes: 2, timeoutMs: 200 })
  const [caller, server] = pair(network)
  server.requests.answer('bid', () => assert.fail('must not be called'))
  const stream = await openRaw(caller, server, PROTOCOLS.bid.id)
  const closed = new Promise((resolve) => stream.addEventListener('close', resolve))
  stream.send(encodeLength(10))
  await closed
  const open = server.libp2p.getConnections().flatMap(({ streams }) => streams)
  assert.ok(open.every(({ protocol }) => protocol !== PROTOCOLS.bid.id))
})

test('hostile caller: more streams of one protocol than allowed are cut', async () => {
  await using network = await openRealNetwork({ nodes: 2 }, { maxStreams: 2 })
  const [caller, server] = pair(network)
  let handled = 0
  server.requests.answer('bid', async (_from, request, { signal }) => {
    handled += 1
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return request
  })
  const open = async (): Promise<FramedStream> => {
    const framed = new FramedStream(await openRaw(caller, server, PROTOCOLS.bid.id), 1024)
    await framed.write(hello, never)
    return framed
  }
  const allowed = [await open(), await open()]
  while (handled < 2) await turn()
  await assert.rejects(open)
  for (const framed of allowed) framed.abort(new Error('done'))
})

test('caller: a stream too many is PEER_QUOTA before it is opened', async () => {
  await using network = await openRealNetwork({ nodes: 2 }, { maxStreams: 1 })
  const [caller, server] = pair(network)
  const gate = Promise.withResolvers<Uint8Array>()
  server.requests.answer('bid', () => gate.promise)
  const call = (): Promise<Uint8Array> =>
    caller.requests.call(server.peer, 'bid', hello, { signal: never })
  const first = call()
  await assert.rejects(call(), { code: 'PEER_QUOTA' })
  gate.resolve(hello)
  await first
  await call()
})

for (const [what, bytes, code] of [
  ['something that is no frame', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]), 'PEER_PROTOCOL'],
  ['a frame of no known kind', Buffer.from([1, 9]), 'PEER_PROTOCOL'],
  ['an error that is none', Buffer.from([2, 3, 0xa0]), 'PEER_PROTOCOL'],
  ['a stream’s frame to a call', Buffer.from([2, 1, 0]), 'PEER_PROTOCOL'],
  ['a frame announced as too large', encodeLength(2 ** 21), 'MESSAGE_TOO_LARGE'],
  ['half a frame', Buffer.from([9, 0]), 'STREAM_CUT'],
  ['nothing', new Uint8Array(), 'STREAM_CUT'],
] as const) {
  test(`hostile server: ${what} is ${code}`, async () => {
    await using network = await openRealNetwork({ nodes: 2 })
    const [caller, server] = pair(network)
    await server.libp2p.handle(PROTOCOLS.bid.id, async (stream) => {
      if (bytes.byteLength > 0) stream.send(bytes)
      await stream.close()
    })
    await assert.rejects(caller.requests.call(server.peer, 'bid', hello, { signal: never }), {
      code,
    })
  })
}

test('hostile gossiper: rejected messages cost it score, accepted ones do not', async () => {
  await using network = await openRealNetwork({ nodes: 3 })
  const [judge, bad, good] = network.nodes
  assert.ok(judge !== undefined && bad !== undefined && good !== undefined)
  let judged = 0
  for (const node of network.nodes) {
    node.gossip.subscribe(TOPIC, { maxBytes: 100, perMinute: 1000, signal: never }, (bytes) => {
      if (node === judge) judged += 1
      return bytes[0] === 0 ? 'reject' : 'accept'
    })
  }
  await network.settled(TOPIC)
  for (let nth = 0; nth < 3; nth += 1) {
    await bad.gossip.publish(TOPIC, Uint8Array.of(0, nth))
    await good.gossip.publish(TOPIC, Uint8Array.of(1, nth))
  }
  while (judged < 6) await turn()
  const pubsub = judge.libp2p.services.pubsub as unknown as {
    score: { score(peer: string): number; scoreCache: Map<string, unknown> }
  }
  pubsub.score.scoreCache.clear()
  assert.ok(pubsub.score.score(bad.peer) < -10, `bad ${pubsub.score.score(bad.peer)}`)
  assert.ok(pubsub.score.score(good.peer) >= 0, `good ${pubsub.score.score(good.peer)}`)
})

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20))
}

/** What one node thinks of another, and how it treats it. */
function standing(judge: Libp2pNet, peer: string) {
  const pubsub = judge.libp2p.services.pubsub as unknown as {
    score: { score(peer: string): number; scoreCache: Map<string, unknown> }
    getMeshPeers(topic: string): readonly string[]
    acceptFrom(peer: string): boolean
  }
  pubsub.score.scoreCache.clear()
  return {
    // a peer that was good a moment ago is taken at its word for a second
    isHeard: pubsub.acceptFrom(peer),
    isInMesh: pubsub.getMeshPeers(TOPIC).includes(peer),
  }
}

for (const [what, perMinute, send] of [
  [
    'rubbish',
    1000,
    async (bad: Libp2pNet, nth: number) => bad.gossip.publish(TOPIC, Uint8Array.of(0, nth)),
  ],
  [
    'a flood',
    5,
    async (bad: Libp2pNet, nth: number) => bad.gossip.publish(TOPIC, Uint8Array.of(1, nth)),
  ],
] as const)
  test(`hostile gossiper: who sends ${what} leaves the mesh and is no longer heard, others stay`, async () => {
    await using network = await openRealNetwork({ nodes: 3 })
    const [judge, bad, good] = network.nodes
    assert.ok(judge !== undefined && bad !== undefined && good !== undefined)
    const heard: number[] = []
    // the one at fault keeps no rules; its own topic takes anything
    for (const node of network.nodes)
      node.gossip.subscribe(
        TOPIC,
        { maxBytes: 100, perMinute: node === bad ? 1000 : perMinute, signal: never },
        (bytes) => {
          if (node === judge) heard.push(bytes[0] ?? 0)
          return bytes[0] === 0 ? 'reject' : 'accept'
        },
      )
    await network.settled(TOPIC)
    await good.gossip.publish(TOPIC, Uint8Array.of(2))
    while (!heard.includes(2)) await turn()
    for (let nth = 0; nth < 30; nth += 1) await send(bad, nth)
    // both: either would pass on to the other what it still took
    for (const node of [judge, good]) while (standing(node, bad.peer).isHeard) await pause()
    // the next heartbeat prunes
    while (standing(judge, bad.peer).isInMesh) await pause()
    assert.deepEqual(standing(judge, good.peer), { isHeard: true, isInMesh: true })
    const before = heard.length
    await bad.gossip.publish(TOPIC, Uint8Array.of(3))
    await good.gossip.publish(TOPIC, Uint8Array.of(0))
    while (standing(judge, good.peer).isInMesh) await pause()
    assert.ok(!heard.slice(before).includes(3))
  })

test('hostile advertiser: an advert that others find invalid is not kept by them', async () => {
  await using network = await openRealNetwork(
    { nodes: 2 },
    {
      validateAdvert: async (_peer, bytes) => {
        // the forger's own node is patched below
        if (Buffer.from(bytes).toString() === 'forged') throw new HiveError('SIGNATURE_INVALID')
      },
    },
  )
  const [forger, other] = pair(network)
  forger.libp2p.services.dht.validators['hive'] = async () => undefined
  const key = Buffer.from(`/hive/${forger.peer}`)
  for await (const _event of forger.libp2p.services.dht.put(key, Buffer.from('forged')));
  assert.equal(await other.directory.advertOf(forger.peer, { signal: never }), undefined)
})
