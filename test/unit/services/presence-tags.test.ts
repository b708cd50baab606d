import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hardware } from '../../../node/domain/advert.ts'
import { GiB } from '../../../node/domain/units.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import { announcedTags, shardedTag, TAG_SHARDS } from '../../../node/protocol/capability-tags.ts'
import { Presence, type PeerView } from '../../../node/services/presence.ts'
import { collect } from '../../support/collect.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { NETWORK, TEST_HARDWARE, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
const CARD: Hardware = {
  ...TEST_HARDWARE,
  region: 'eu-west',
  gpus: [{ vendor: 'nvidia', model: 'card', memoryBytes: 24 * GiB, count: 1 }],
  forJobs: {
    cpuMillis: 2000,
    memoryBytes: 2 * GiB,
    diskBytes: 2 * GiB,
    gpus: [{ vendor: 'nvidia', memoryBytes: 24 * GiB, count: 1 }],
  },
}

/** Of a node that starts again and again: a real one would be a new process each time. */
const UNASKED: Requests = {
  answer: () => undefined,
  answerStream: () => undefined,
  call: async () => Promise.reject(new HiveError('PEER_UNREACHABLE')),
  async *stream() {},
}

function open() {
  const market = new TestMarket()
  const clock = new ManualClock()
  const presence = (
    member: Member,
    kinds: readonly string[],
    hardware: Hardware,
    parts: { readonly requests?: Requests } = {},
  ) =>
    new Presence(
      { ...market.parts(member), clock, directory: member.node.directory, ...parts },
      { network: NETWORK, kinds, hardware },
    )
  /** What a node with the card would have put into the DHT before it was cut off. */
  const announce = async ({ signing, node }: Member, kinds: string[]) => {
    const { bytes } = signing.seal('Advert', {
      node: signing.address,
      seq: 5,
      network: NETWORK,
      kinds,
      hardware: JSON.stringify(CARD),
      issuedAt: clock.now(),
      expiresAt: clock.now() + 60_000,
    })
    const tags = announcedTags({ kinds, hardware: CARD }, signing.peer)
    await node.directory.advertise(bytes, tags, { signal })
    return bytes
  }
  const announced = async (by: Member, tag: string) => {
    const keys = TAG_SHARDS.map((shard) => shardedTag(tag, shard))
    const found = await Promise.all(
      keys.map(async (key) => collect(by.node.directory.find(key, { signal }))),
    )
    return found.flat()
  }
  return { market, clock, presence, announce, announced }
}

test('a tag is announced until its node does not have it any more, also when that changed while it was off', async () => {
  const { market, clock, presence, announced } = open()
  const [alice, bob] = [market.member(), market.member()]
  const life = async (kinds: readonly string[], hardware: Hardware) => {
    await using bobs = presence(bob, kinds, hardware, { requests: UNASKED })
    await bobs.start()
    await clock.advance(0)
  }
  const tags = ['kind=wasm', 'kind=docker', 'gpu.nvidia>=24', 'region=eu-west', 'region=eu']
  const now = async () => {
    const each = await Promise.all(tags.map(async (tag) => announced(alice, tag)))
    return tags.filter((_, at) => each[at]?.includes(bob.signing.peer))
  }
  await life(['wasm', 'docker'], CARD)
  assert.deepEqual(await now(), tags)
  await life(['wasm'], { ...TEST_HARDWARE, region: 'eu-north' })
  assert.deepEqual(await now(), ['kind=wasm', 'region=eu'])
  await life([], TEST_HARDWARE)
  assert.deepEqual(await now(), [])
})

test('a tag that could not be withdrawn is withdrawn with the next advert', async () => {
  const { market, clock, presence, announced } = open()
  const [alice, bob] = [market.member(), market.member()]
  {
    await using bobs = presence(bob, ['wasm', 'docker'], TEST_HARDWARE, { requests: UNASKED })
    await bobs.start()
    await clock.advance(0)
  }
  const { directory } = bob.node
  const withdraw = directory.withdraw.bind(directory)
  directory.withdraw = async () => Promise.reject(new Error('the disk is full'))
  await using bobs = presence(bob, ['wasm'], TEST_HARDWARE, { requests: UNASKED })
  await bobs.start()
  await clock.advance(0)
  assert.equal((await announced(alice, 'kind=docker')).length, 1)
  directory.withdraw = withdraw
  await clock.advance(10 * 60_000)
  assert.deepEqual(await announced(alice, 'kind=docker'), [])
  assert.equal((await announced(alice, 'kind=wasm')).length, 1)
})

test('a node whose machine has what is sought, but takes no jobs, is not found by it', async () => {
  const { market, clock, presence } = open()
  const [alice, idle, bob] = [market.member(), market.member(), market.member()]
  await using alices = presence(alice, [], TEST_HARDWARE)
  await using idles = presence(idle, [], CARD)
  await using bobs = presence(bob, ['docker'], CARD)
  for (const each of [alices, idles, bobs]) await each.start()
  await clock.advance(0)
  const found = await alices.find({ tags: [['gpu.nvidia>=24']], accepts: () => true }, signal)
  assert.deepEqual(
    found.map(({ peer }) => peer),
    [bob.signing.peer],
  )
})

test('peers that can no longer be reached, or do not answer in time, are judged by the DHT', async () => {
  const { market, clock, presence, announce } = open()
  const [alice, gone, slow] = [market.member(), market.member(), market.member()]
  await using alices = presence(alice, [], TEST_HARDWARE)
  for (const member of [gone, slow]) await announce(member, ['docker'])
  market.net.part(alice.signing.peer, gone.signing.peer)
  const asked = Promise.withResolvers<void>()
  slow.node.requests.answer('advert', async (_from, _bytes, options) => {
    asked.resolve()
    await new Promise((resolve) => options.signal.addEventListener('abort', resolve))
    return new Uint8Array()
  })
  const accepts = ({ advert }: PeerView) => advert?.hardware.includes('eu-west') === true
  const finding = alices.find({ tags: [['gpu.nvidia>=24'], ['region=eu']], accepts }, signal)
  await asked.promise
  await clock.advance(3000)
  const found = await finding
  assert.deepEqual(
    found.map(({ peer }) => peer).toSorted(),
    [gone.signing.peer, slow.signing.peer].toSorted(),
  )
  assert.equal(found.find(({ peer }) => peer === gone.signing.peer)?.connected, false)
})

test('a search ends with as many peers as anybody looks at, and asks few more', async () => {
  const { market, presence, announce } = open()
  const alice = market.member()
  await using alices = presence(alice, [], TEST_HARDWARE)
  let asked = 0
  for (let n = 0; n < 120; n++) {
    const member = market.member()
    const bytes = await announce(member, ['wasm'])
    member.node.requests.answer('advert', async () => {
      asked++
      return bytes
    })
  }
  const all = await alices.find({ tags: [['kind=wasm']], accepts: () => true }, signal)
  assert.equal(all.length, 50)
  assert.ok(asked < 60, `${asked} were asked`)
  const none = await alices.find({ tags: [['kind=wasm']], accepts: () => false }, signal)
  assert.deepEqual(none, [])
})
