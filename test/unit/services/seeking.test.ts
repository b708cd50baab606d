import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hardware } from '../../../node/domain/advert.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import { GiB } from '../../../node/domain/units.ts'
import type { Clock } from '../../../node/ports/clock.ts'
import { announcedTags, TAG_SHARDS } from '../../../node/protocol/capability-tags.ts'
import type { Announcements } from '../../../node/services/capability-search.ts'
import { Bidding } from '../../../node/services/requester/bidding.ts'
import { OfferMaker } from '../../../node/services/requester/offer-maker.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SOME_CID } from '../../support/messages.ts'
import {
  aRequest,
  NETWORK,
  priceATask,
  TASK_PRICE,
  TEST_HARDWARE,
  TestMarket,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()
const CARD = { vendor: 'nvidia', memoryBytes: 24 * GiB } as const
const WITH_CARD: Hardware = {
  ...TEST_HARDWARE,
  forJobs: {
    cpuMillis: 2000,
    memoryBytes: 2 * GiB,
    diskBytes: 2 * GiB,
    gpus: [{ ...CARD, count: 1 }],
  },
}

/** A requester's bidding, which counts what it looks for in the DHT. */
async function open(clock?: Clock, search?: (signal: AbortSignal) => AsyncIterable<PeerId>) {
  const market = new TestMarket()
  const alice = market.member()
  const sought: string[] = []
  const directory: Announcements = {
    find: (tag, options) => {
      sought.push(tag)
      return search?.(options.signal) ?? alice.node.directory.find(tag, options)
    },
  }
  const parts = { ...market.parts(alice), ...(clock && { clock }), directory }
  const bidding = new Bidding(parts)
  const maker = new OfferMaker(parts, { network: NETWORK })
  const ask = async (wanted: number, spec: Parameters<typeof aRequest>[2] = {}) => {
    const request = await aRequest(alice, {}, { bidWindowMs: 2000, ...spec })
    return bidding.collect(maker.make(request, SOME_CID, 1), wanted, signal)
  }
  const announce = async ({ node, signing }: Member, kind: string, hardware = TEST_HARDWARE) => {
    const tags = announcedTags({ kinds: [kind], hardware }, signing.peer)
    await node.directory.advertise(new Uint8Array(), tags, { signal })
  }
  /** Keeps members out of reach of everybody's gossip. */
  const unheard = (...members: readonly Member[]) => {
    const peers = members.map(({ signing }) => signing.peer)
    market.net.loses = (_from, to) => peers.includes(to)
    for (const peer of peers) market.net.cut(alice.signing.peer, peer)
  }
  return { market, alice, sought, ask, announce, unheard }
}

test('a job for which gossip reaches fewer nodes than bids are wanted is offered to others that the DHT has for it', async () => {
  const on = await open()
  const [bob, carol] = [on.market.member(), on.market.member()]
  await using _bob = await on.market.provider(bob)
  await using _carol = await on.market.provider(carol)
  for (const member of [bob, carol]) await on.announce(member, 'wasm')
  on.unheard(carol)
  const { bids } = await on.ask(2)
  assert.deepEqual(
    bids.map(({ peer }) => peer).toSorted(),
    [bob.signing.peer, carol.signing.peer].toSorted(),
  )
})

test('a job for a GPU is sought by its card, also where gossip reached some', async () => {
  const on = await open()
  const [bob, carol] = [on.market.member(), on.market.member()]
  const provider = async (member: Member, id: string) =>
    on.market.provider(
      member,
      {
        prices: { ...priceATask(TASK_PRICE), perGpuSecond: 1n },
        gpus: { devices: [{ ...CARD, id }] },
      },
      { sandboxes: [{ ...createFakeSandbox('docker'), gpuVendors: ['nvidia'] }] },
    )
  await using _bob = await provider(bob, 'GPU-0')
  await using _carol = await provider(carol, 'GPU-1')
  for (const member of [bob, carol]) await on.announce(member, 'docker', WITH_CARD)
  on.unheard(carol)
  const gpus = { count: 1, vendor: 'nvidia', memoryBytes: 16 * GiB } as const
  const { bids } = await on.ask(2, { spec: { kind: 'docker', gpus } })
  assert.equal(bids.length, 2)
  assert.ok(on.sought.every((tag) => tag.startsWith('gpu.nvidia>=16/')))
})

test('where gossip reaches enough, nothing is looked for in the DHT', async () => {
  const on = await open()
  const members = [on.market.member(), on.market.member()]
  await using _bob = await on.market.provider(members[0] as Member)
  await using _carol = await on.market.provider(members[1] as Member)
  assert.equal((await on.ask(2)).bids.length, 2)
  assert.deepEqual(on.sought, [])
})

test('a search that found nobody whom gossip had not reached is not repeated for a minute', async () => {
  const clock = new ManualClock(Date.now())
  const on = await open(clock)
  const bob = on.market.member()
  await using _bob = await on.market.provider(bob, {}, { clock })
  await on.announce(bob, 'wasm')
  for (const [afterMs, searches] of [
    [0, 1],
    [59_000, 1],
    [2000, 2],
  ] as const) {
    await clock.advance(afterMs)
    assert.equal((await on.ask(3)).bids.length, 1)
    assert.equal(on.sought.length, searches * TAG_SHARDS.length)
  }
})

test('a search that takes long does not hold up bids that are there', async () => {
  const clock = new ManualClock(Date.now())
  const searching = Promise.withResolvers<void>()
  const on = await open(clock, async function* (signal) {
    signal.throwIfAborted()
    searching.resolve()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    yield* []
  })
  const bob = on.market.member()
  await using _bob = await on.market.provider(bob, {}, { clock })
  const asked = on.ask(3, { bidWindowMs: 60_000 })
  await searching.promise
  await clock.advance(900)
  let isOver = false
  void asked.then(() => (isOver = true))
  await clock.advance(0)
  assert.ok(!isOver)
  await clock.advance(100)
  assert.equal((await asked).bids.length, 1)
})

test('of the many that the DHT has for an offer a random few hear it, others each time', async () => {
  const on = await open()
  const asked: string[] = []
  for (let n = 0; n < 60; n++) {
    const member = on.market.member()
    await on.announce(member, 'wasm')
    member.node.requests.answer('offer', async () => {
      asked.push(member.signing.peer)
      return new Uint8Array()
    })
  }
  const everybody = new Set<string>()
  for (let n = 0; n < 8; n++) {
    asked.length = 0
    await on.ask(3, { bidWindowMs: 50 })
    assert.ok(asked.length <= 20, `${asked.length} were asked`)
    assert.equal(new Set(asked).size, asked.length)
    for (const peer of asked) everybody.add(peer)
  }
  assert.ok(everybody.size > 40, `${everybody.size} in all`)
})
