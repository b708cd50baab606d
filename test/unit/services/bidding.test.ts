import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bid, BondOffer } from '../../../node/domain/bid.ts'
import { decodeCbor, encodeCbor } from '../../../node/protocol/cbor.ts'
import { bidRequest } from '../../../node/protocol/requests.ts'
import { Bidding, type BiddingOptions } from '../../../node/services/requester/bidding.ts'
import { OfferMaker } from '../../../node/services/requester/offer-maker.ts'
import type { Signing } from '../../../node/services/signing.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { bytes32Of, SOME_CID, STRANGER } from '../../support/messages.ts'
import { aRequest, NETWORK, TestMarket, type Member } from '../../support/test-market.ts'
import { bondNonce } from '../../../node/protocol/random.ts'

const { signal } = new AbortController()

/** A provider's side of one market: hears offers, and who sent it something bad. */
async function listening() {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const provider = await market.provider(bob)
  const answered = async () => {
    const offer = await alice.offer()
    await alice.ask(offer)
    return bob.node.gossip.rejected.length
  }
  return {
    alice,
    bob,
    answered,
    [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose](),
  }
}

test('offers R1: noise, a bad signature, a foreign class or another’s name is rejected', async () => {
  await using on = await listening()
  const { signing } = on.alice.member
  const good = await on.alice.offer()
  const flipped = Uint8Array.from(good.bytes)
  flipped[flipped.length - 5] = (flipped[flipped.length - 5] ?? 0) ^ 1
  const foreign = await on.alice.offer({}, { class: 'docker' })
  const forged = signing.seal('Offer', { ...good.message, requester: STRANGER })
  for (const bytes of [
    new Uint8Array(50),
    new Uint8Array(3000),
    flipped,
    foreign.bytes,
    forged.bytes,
  ])
    await on.alice.announce(bytes)
  assert.equal(await on.answered(), 5)
  assert.equal(on.alice.answers.length, 1)
})

test('offers R2 to R7: what breaks a rule is rejected', async () => {
  await using on = await listening()
  const bad = [{ network: 'other' }, { tasks: 0 }, { cpuMillis: 0 }, { maxPrice: 0n }]
  for (const changes of bad) await on.alice.announce((await on.alice.offer({}, changes)).bytes)
  assert.equal(await on.answered(), bad.length)
})

test('offers R4: what is late or early is ignored, at no cost to its sender', async () => {
  await using on = await listening()
  const now = Date.now()
  for (const issuedAt of [now - 60_000, now + 60_000]) {
    const offer = await on.alice.offer({}, { issuedAt, bidsUntil: issuedAt + 1000 })
    await on.alice.announce(offer.bytes)
  }
  assert.equal(await on.answered(), 0)
  assert.equal(on.alice.answers.length, 1)
})

/** A requester that collects bids for one offer, and members that may bid. */
async function collecting(wanted = 10, listeners = 3, options: Partial<BiddingOptions> = {}) {
  const market = new TestMarket()
  const alice = market.member()
  const clock = new ManualClock(Date.now())
  const parts = { ...market.parts(alice), clock }
  const bidding = new Bidding(parts, options)
  const request = await aRequest(alice, {}, { bidWindowMs: 10_000 })
  const offer = new OfferMaker(parts, { network: NETWORK }).make(request, SOME_CID, 2)
  const members = Array.from({ length: 3 }, () => market.member())
  const topic = `/computehive/${NETWORK}/offers/wasm`
  for (const { node } of members.slice(0, listeners))
    node.gossip.subscribe(topic, { maxBytes: 4096, perMinute: 1000, signal }, () => 'accept')
  const outcome = bidding.collect(offer, wanted, signal)
  const send = async (member: Member, answer: Parameters<typeof bidRequest.encode>[0]) =>
    member.node.requests.call(alice.signing.peer, 'bid', bidRequest.encode(answer), { signal })
  const bid = async (
    member: Member,
    changes: Partial<Bid> = {},
    bond: Partial<BondOffer> = {},
    signing: Signing = member.signing,
    bondSigning: Signing = signing,
  ) => {
    const provider = member.signing.address
    const requester = alice.signing.address
    const now = clock.now()
    const nonce = bondNonce(requester)
    const sealed = signing.seal('Bid', {
      offer: offer.id,
      provider,
      price: 5n,
      capacity: 1,
      etaMs: 0,
      cached: false,
      validUntil: now + 60_000,
      ...changes,
    })
    const bonded = bondSigning.seal('BondOffer', {
      provider,
      requester,
      providerSigner: provider,
      bond: 1n,
      hold: 0,
      nonce,
      expiry: Math.floor(now / 1000) + 60,
      ...bond,
    })
    return send(member, { offer: offer.id, bid: sealed.bytes, bondOffer: bonded.bytes })
  }
  const [first, second, third] = members
  assert.ok(first && second && third)
  const requester = alice.signing.peer
  return {
    market,
    clock,
    offer,
    outcome,
    requester,
    bid,
    send,
    members: [first, second, third] as const,
  }
}

test('bids close early when enough came', async () => {
  const on = await collecting(2)
  await on.bid(on.members[0])
  await on.bid(on.members[1])
  const { bids, declines } = await on.outcome
  assert.deepEqual(
    bids.map(({ peer }) => peer),
    on.members.slice(0, 2).map(({ signing }) => signing.peer),
  )
  assert.deepEqual(declines, {})
  await assert.rejects(on.bid(on.members[2]), { code: 'OFFER_UNKNOWN' })
})

test('bids close early when all who heard the offer have answered, each counted once', async () => {
  const on = await collecting()
  const [bob, carol, dave] = on.members
  await on.bid(bob)
  await on.bid(bob, { price: 4n })
  await on.send(carol, { offer: on.offer.id, decline: 'DECLINED_BUSY' })
  await on.bid(carol)
  await on.send(carol, { offer: on.offer.id, decline: 'DECLINED_PRICE', lowestPrice: 7n })
  await on.send(dave, { offer: on.offer.id, decline: 'DECLINED_KIND' })
  const { bids, declines } = await on.outcome
  assert.deepEqual(
    bids.map(({ bid }) => bid.price),
    [4n],
  )
  assert.deepEqual(declines, {
    [carol.signing.peer]: { code: 'DECLINED_PRICE', lowestPrice: 7n },
    [dave.signing.peer]: { code: 'DECLINED_KIND' },
  })
})

test('bids close when the window does, with what came', async () => {
  const on = await collecting()
  await on.bid(on.members[0])
  await on.clock.advance(10_000)
  assert.equal((await on.outcome).bids.length, 1)
})

test('a bid that breaks a rule is refused with the rule, and does not count', async () => {
  const on = await collecting()
  const [bob, carol] = on.members
  const refused = async (rule: string, ...args: Parameters<typeof on.bid>) =>
    assert.rejects(on.bid(...args), { code: 'BID_INVALID', data: { rule } })
  await refused('R1', bob, { offer: bytes32Of('0f') })
  await refused('R1', bob, { provider: STRANGER })
  await refused('R1', bob, {}, {}, carol.signing)
  await refused('R1', bob, {}, {}, bob.signing, carol.signing)
  const provider = carol.signing.address
  await refused('R1', bob, { provider }, { provider, providerSigner: provider }, carol.signing)
  await refused('R1', bob, { provider }, { provider }, carol.signing, bob.signing)
  await refused('R2', bob, { price: on.offer.message.maxPrice + 1n })
  await refused('R3', bob, { validUntil: on.clock.now() })
  await refused('R4', bob, { capacity: 0 })
  await refused('R6', bob, {}, { requester: STRANGER })
  await refused('R7', bob, {}, { expiry: Math.floor(on.clock.now() / 1000) })
  await refused('R8', bob, {}, { nonce: 1n })
  await assert.rejects(on.send(bob, { offer: on.offer.id }), { code: 'BID_INVALID' })
  await assert.rejects(
    on.send(bob, { offer: on.offer.id, bid: new Uint8Array(9), bondOffer: new Uint8Array(9) }),
    {
      code: 'MESSAGE_MALFORMED',
    },
  )
  await on.clock.advance(10_000)
  assert.deepEqual(await on.outcome, { bids: [], declines: {}, asked: 3, listeners: 3, silent: 3 })
})

test('a decline is a word of its own: another code, or a price beyond all amounts, is refused', async () => {
  const on = await collecting()
  const [bob] = on.members
  const send = async (fields: object) => {
    const plain = decodeCbor(bidRequest.encode({ offer: on.offer.id }), 1024) as object
    const bytes = encodeCbor({ ...plain, ...fields })
    return bob.node.requests.call(on.requester, 'bid', bytes, { signal })
  }
  const malformed = [
    { decline: 'INTERNAL' },
    { decline: 'DECLINED_PRICE', lowestPrice: new Uint8Array(13) },
    { decline: 'DECLINED_RESOURCES', most: { cpuMillis: 1 } },
    { decline: 'DECLINED_RESOURCES', most: { cpuMillis: -1, memoryBytes: 1, diskBytes: 1 } },
  ]
  for (const fields of malformed) await assert.rejects(send(fields), { code: 'MESSAGE_MALFORMED' })
  await on.clock.advance(10_000)
  assert.equal((await on.outcome).silent, 3)
})

test('declines of peers that the offer was not sent to close nothing and are not kept', async () => {
  const on = await collecting()
  const answer = bidRequest.encode({ offer: on.offer.id, decline: 'DECLINED_BUSY' })
  for (let sender = 0; sender < 5; sender++) {
    const { requests } = on.market.net.join({ peer: `sender ${sender}`, alone: true })
    await requests.call(on.requester, 'bid', answer, { signal })
  }
  await on.clock.advance(1)
  await on.bid(on.members[0])
  await on.clock.advance(10_000)
  const { bids, declines } = await on.outcome
  assert.equal(bids.length, 1)
  assert.deepEqual(declines, {})
})

test('bids of peers that the offer was not sent to are kept, but do not close it', async () => {
  const on = await collecting(1, 1)
  const [bob, far, farther] = on.members
  await on.bid(far)
  await on.bid(farther)
  await on.clock.advance(1)
  await on.bid(bob)
  const { bids } = await on.outcome
  assert.deepEqual(
    bids.map(({ peer }) => peer),
    [far, farther, bob].map(({ signing }) => signing.peer),
  )
})

test('a stranger that declines after its bid is out', async () => {
  const on = await collecting(10, 1)
  await on.bid(on.members[1])
  await on.send(on.members[1], { offer: on.offer.id, decline: 'DECLINED_BUSY' })
  await on.clock.advance(10_000)
  assert.deepEqual(await on.outcome, { bids: [], declines: {}, asked: 1, listeners: 1, silent: 1 })
})

test('a flood of bids fills what is kept of strangers, and shuts out nobody whom the offer was sent to', async () => {
  const on = await collecting(10, 2, { maxBids: 1 })
  const [bob, carol, stranger] = on.members
  const late = on.market.member()
  await on.bid(stranger)
  await assert.rejects(on.bid(late), { code: 'PEER_QUOTA' })
  await on.bid(stranger, { price: 4n })
  await on.bid(bob)
  await on.send(carol, { offer: on.offer.id, decline: 'DECLINED_BUSY' })
  const { bids, declines } = await on.outcome
  assert.deepEqual(
    bids.map(({ peer, bid }) => [peer, bid.price]),
    [
      [stranger.signing.peer, 4n],
      [bob.signing.peer, 5n],
    ],
  )
  assert.deepEqual(declines, { [carol.signing.peer]: { code: 'DECLINED_BUSY' } })
})
