import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Geography } from '../../../scripts/sim/network/geography.ts'
import { SimNetwork } from '../../../scripts/sim/network/sim-network.ts'
import { Traffic } from '../../../scripts/sim/network/traffic.ts'
import { Randomness } from '../../../scripts/sim/time/randomness.ts'
import { VirtualClock } from '../../../scripts/sim/time/virtual-clock.ts'

const TOPIC = '/computehive/test/offers/wasm'
const RULES = { maxBytes: 100, perMinute: 1000 }
const never = new AbortController().signal
const hello = new TextEncoder().encode('hello')

function networkOf(nodes: number) {
  const clock = new VirtualClock()
  const traffic = new Traffic()
  const random = new Randomness(1, 'network')
  const geography = new Geography(new Randomness(1, 'places'))
  const network = new SimNetwork({ clock, traffic, geography, random })
  const members = Array.from({ length: nodes }, (_, at) => {
    geography.settle()
    return network.join(`peer-${at}`, at)
  })
  return { clock, traffic, geography, network, members }
}

/** Has all but the first listen. Returns how often each was told. */
function listening(members: ReturnType<typeof networkOf>['members']) {
  const heard = new Map<string, number>()
  for (const { peer, gossip } of members.slice(1))
    gossip.subscribe(TOPIC, { ...RULES, signal: never }, () => {
      heard.set(peer, (heard.get(peer) ?? 0) + 1)
      return 'accept'
    })
  return heard
}

test('gossip: everyone who listens hears a message once, over no more copies than the mesh has links', async () => {
  const { clock, traffic, members } = networkOf(200)
  const heard = listening(members)
  await members[0]?.gossip.publish(TOPIC, hello)
  await clock.run(() => false)
  assert.equal(heard.size, 199)
  assert.ok([...heard.values()].every((times) => times === 1))
  assert.ok(traffic.sum('gossip offers').messages <= 199 * 8 + 12)
})

test('gossip: a message that a node does not accept goes no further through it', async () => {
  const { clock, members } = networkOf(60)
  const heard = new Set<string>()
  for (const { peer, gossip } of members.slice(1))
    gossip.subscribe(TOPIC, { ...RULES, signal: never }, () => {
      heard.add(peer)
      return 'ignore'
    })
  const sentTo = await members[0]?.gossip.publish(TOPIC, hello)
  await clock.run(() => false)
  assert.deepEqual([...heard].sort(), [...(sentTo ?? [])].sort())
})

test('a call takes the time of its way there and back, and its bytes are counted both ways', async () => {
  const { clock, traffic, members } = networkOf(2)
  const [a, b] = members
  assert.ok(a && b)
  b.requests.answer('bid', async () => new Uint8Array(10))
  const answer = a.requests.call(b.peer, 'bid', hello, { signal: never })
  await clock.run(() => false, clock.now() + 1000)
  assert.equal((await answer).byteLength, 10)
  assert.equal(traffic.sum('direct bid').messages, 2)
  assert.ok(clock.elapsed >= 8)
})

test('a partition cuts calls under way and refuses new ones until it heals', async () => {
  const { clock, geography, network, members } = networkOf(40)
  const east = members.find(({ at }) => geography.isEast(at))
  const west = members.find(({ at }) => !geography.isEast(at))
  assert.ok(east && west)
  west.requests.answer('award', async (_from, _bytes, { signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return new Uint8Array()
  })
  west.requests.answer('bid', async () => new Uint8Array())
  const call = east.requests.call(west.peer, 'award', hello, { signal: never })
  const cut = assert.rejects(call, { code: 'STREAM_CUT' })
  clock.after(500, () => network.part())
  await clock.run(() => false, clock.now() + 1000)
  await cut
  const again = () => east.requests.call(west.peer, 'bid', hello, { signal: never })
  await assert.rejects(again(), { code: 'PEER_UNREACHABLE' })
  network.heal()
  const answer = again()
  await clock.run(() => false, clock.now() + 1000)
  assert.equal((await answer).byteLength, 0)
})
