import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerId } from '../../../node/domain/ids.ts'
import { prefixOf } from '../../../node/domain/rendezvous.ts'
import { minute } from '../../../node/domain/units.ts'
import type { Gossip } from '../../../node/ports/gossip.ts'
import { bidRequest } from '../../../node/protocol/requests.ts'
import { bondNonce } from '../../../node/protocol/random.ts'
import { groupsHeard, pointOfPeer } from '../../../node/protocol/topics.ts'
import { Shelves } from '../../../node/services/provider/shelves.ts'
import { Asking } from '../../../node/services/requester/asking.ts'
import { Bidding } from '../../../node/services/requester/bidding.ts'
import { OfferMaker } from '../../../node/services/requester/offer-maker.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SOME_CID } from '../../support/messages.ts'
import { aRequest, NETWORK, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
const SIZE = 160

/** A network of many providers that listen on shelves, and answer as they are told. */
async function crowd(answers: (place: number) => 'bid' | 'decline' | 'silence', size = SIZE) {
  const market = new TestMarket()
  const alice = market.member()
  const clock = new ManualClock(Date.now())
  const heard = new Map<PeerId, number>()
  const members = Array.from({ length: size }, () => market.member())
  const reply = async (member: Member, place: number, bytes: Uint8Array) => {
    const offer = alice.signing.open('Offer', bytes)
    const [provider, requester] = [member.signing.address, alice.signing.address]
    const what = answers(place)
    if (what === 'silence') return
    const bid = member.signing.seal('Bid', {
      offer: offer.id,
      provider,
      price: 5n,
      capacity: 1,
      etaMs: 0,
      cached: false,
      validUntil: clock.now() + minute,
    })
    const bond = member.signing.seal('BondOffer', {
      provider,
      requester,
      providerSigner: provider,
      bond: 1n,
      hold: 0,
      nonce: bondNonce(requester),
      expiry: Math.floor(clock.now() / 1000) + 60,
    })
    const answer =
      what === 'decline'
        ? ({ offer: offer.id, decline: 'DECLINED_BUSY' } as const)
        : { offer: offer.id, bid: bid.bytes, bondOffer: bond.bytes }
    await member.node.requests
      .call(alice.signing.peer, 'bid', bidRequest.encode(answer), { signal })
      .catch(() => undefined) // bidding has closed
  }
  for (const [place, member] of members.entries()) {
    const { peer } = member.signing
    const shelves = new Shelves(
      { clock, gossip: member.node.gossip },
      { network: NETWORK, groups: ['wasm'], peer },
    )
    const answered = new Set<string>()
    shelves.join((_on, bytes) => {
      const key = Buffer.from(bytes).toString('base64')
      if (!answered.has(key)) {
        answered.add(key)
        heard.set(peer, (heard.get(peer) ?? 0) + 1)
        void reply(member, place, bytes)
      }
      return 'accept'
    }, signal)
    void shelves.keepUp(signal)
  }
  // once all are there each learns how many they are
  await clock.advance(minute)
  const parts = { ...market.parts(alice), clock }
  const bidding = new Bidding(parts)
  const maker = new OfferMaker(parts, { network: NETWORK })
  const request = await aRequest(alice, {}, { bidWindowMs: 10_000 })
  const ask = (wanted: number) => {
    const offer = maker.make(request, SOME_CID, 2)
    heard.clear()
    return { offer, outcome: bidding.collect(offer, wanted, signal) }
  }
  return { market, clock, parts, bidding, maker, request, heard, ask }
}

test('of many nodes a shelf is asked, not all; who is not on it hears nothing and says nothing', async () => {
  const on = await crowd(() => 'bid')
  const { outcome } = on.ask(3)
  const { bids, asked, listeners } = await outcome
  assert.ok(bids.length >= 3)
  assert.equal(listeners, SIZE)
  assert.ok(asked < SIZE / 3, `${asked} were asked`)
  assert.ok(on.heard.size < SIZE / 3, `${on.heard.size} heard`)
})

test('all of a small network are asked at once, and bidding ends with their answers', async () => {
  const on = await crowd((place) => (place === 0 ? 'bid' : 'decline'), 4)
  const { outcome } = on.ask(3)
  const { bids, asked, listeners, silent } = await outcome
  assert.deepEqual([bids.length, asked, listeners, silent], [1, 4, 4, 0])
})

test('while nobody answers twice as many are asked, then four times as many, at last everybody', async () => {
  const on = await crowd(() => 'silence')
  const { outcome } = on.ask(3)
  const sizes: number[] = []
  for (let step = 0; step < 4; step++) {
    await on.clock.advance(step === 0 ? 0 : 250)
    sizes.push(on.heard.size)
  }
  const [first = 0, second = 0, third = 0, last = 0] = sizes
  assert.ok(first < SIZE / 3)
  // chance deals the nodes out: about twice as many
  assert.ok(second > first && second < 3 * first, `${first}, then ${second}`)
  assert.deepEqual([third, last], [SIZE, SIZE])
  await on.clock.advance(10_000)
  const { asked, silent, bids } = await outcome
  assert.deepEqual([asked, silent, bids.length], [SIZE, SIZE, 0])
})

test('where those who hear it decline, steps that would not bring enough are left out', async () => {
  const on = await crowd(() => 'decline')
  const topics = new Set<string>()
  on.market.net.loses = (_from, _to, topic) => {
    topics.add(topic)
    return false
  }
  const { outcome } = on.ask(3)
  await on.clock.advance(1000)
  assert.equal((await outcome).asked, SIZE)
  // a shelf, one four times as large, and all: the two between them are not asked
  const depths = [...topics].map((topic) => topic.split('/').at(5)?.length ?? 0)
  assert.deepEqual(depths, [3, 1, 0])
})

test('a shelf whose nodes all decline is not the end: the next is asked', async () => {
  const on = await crowd((place) => (place % 10 === 0 ? 'bid' : 'decline'))
  const { outcome } = on.ask(3)
  await on.clock.advance(10_000)
  assert.ok((await outcome).bids.length >= 3)
})

test('where few bid, later offers begin with more, and a restart does not forget it', async () => {
  const on = await crowd((place) => (place % 16 === 0 ? 'bid' : 'silence'))
  const first = async (bidding: Bidding) => {
    on.heard.clear()
    const outcome = bidding.collect(on.maker.make(on.request, SOME_CID, 2), 3, signal)
    await on.clock.advance(0)
    const size = on.heard.size
    await on.clock.advance(10_000)
    await outcome
    return size
  }
  const before = await first(on.bidding)
  for (let n = 0; n < 8; n++) await first(on.bidding)
  assert.ok((await first(on.bidding)) > before)
  const offer = on.maker.make(on.request, SOME_CID, 2)
  const hearers = (asking: Asking) => asking.ladder(offer, 3).rungs[0]?.hearers ?? 0
  const restarted = new Asking(on.parts)
  const fresh = hearers(restarted)
  await restarted.load()
  assert.ok(hearers(restarted) > fresh)
})

test('a node listens on the shelves of its own point alone, and leaves them when the network shrinks', async () => {
  const clock = new ManualClock()
  const topics = new Set<string>()
  let listeners = 0
  const gossip: Gossip = {
    subscribe: (topic, options) => {
      topics.add(topic)
      options.signal.addEventListener('abort', () => topics.delete(topic))
    },
    publish: async () => [],
    listeners: () => listeners,
  }
  const { peer } = new TestMarket().member().signing
  const stop = new AbortController()
  const groups = groupsHeard(['wasm', 'docker'], true)
  const shelves = new Shelves({ clock, gossip }, { network: NETWORK, groups, peer })
  shelves.join(() => 'accept', stop.signal)
  const kept = shelves.keepUp(stop.signal)
  assert.equal(topics.size, 4)
  listeners = 128
  await clock.advance(minute)
  assert.equal(topics.size, 4 * 5)
  for (const topic of topics) {
    const bits = topic.split('/').at(5) ?? ''
    assert.equal(bits, prefixOf(pointOfPeer(peer), bits.length))
  }
  listeners = 64
  await clock.advance(minute)
  assert.equal(topics.size, 4 * 5, 'an estimate that sways moves nobody')
  listeners = 3
  await clock.advance(minute)
  assert.equal(topics.size, 4 * 2)
  stop.abort()
  await kept
  assert.equal(topics.size, 0)
})
