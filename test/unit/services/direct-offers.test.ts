import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announcedTags } from '../../../node/protocol/capability-tags.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import {
  aRequest,
  finished,
  oneJob,
  TEST_HARDWARE,
  TestMarket,
  type Member,
} from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A member whose announcements nobody hears. */
function unheard(market: TestMarket, member: Member): void {
  market.net.loses = (from) => from === member.signing.peer
  for (const { peer } of market.net.nodes()) market.net.cut(member.signing.peer, peer)
}

/** Puts into the DHT that a member runs WebAssembly. */
async function announce({ node, signing }: Member): Promise<void> {
  const tags = announcedTags({ kinds: ['wasm'], hardware: TEST_HARDWARE }, signing.peer)
  await node.directory.advertise(new Uint8Array(), tags, { signal })
}

test('a job for named providers runs there, and nobody else hears of it', async () => {
  const market = new TestMarket()
  const [alice, bob, carol] = [market.member(), market.member(), market.member()]
  await using requester = await market.requester(alice)
  await using _bob = await market.provider(bob)
  await using _carol = await market.provider(carol)
  const gossiped: string[] = []
  market.net.loses = (_from, _to, topic) => gossiped.push(topic) < 0
  const providers = [carol.signing.peer]
  const { id } = await requester.submit(await aRequest(alice, {}, { providers }), signal)
  const job = await finished(requester, id)
  assert.equal(job.state, 'settled')
  const shares = await requester.book.sharesOf(job)
  assert.deepEqual(
    shares.map(({ provider }) => provider),
    [carol.signing.address],
  )
  assert.deepEqual(gossiped, [])
})

test('of named providers those that cannot be reached are left out; with none left the job ends at once', async () => {
  const market = new TestMarket()
  const [alice, bob, gone, other] = [
    market.member(),
    market.member(),
    market.member(),
    market.member(),
  ]
  await using requester = await market.requester(alice)
  await using _bob = await market.provider(bob)
  await using _other = await market.provider(other)
  market.net.leave(gone.signing.peer)
  const both = { providers: [gone.signing.peer, bob.signing.peer], bidsWanted: 2 }
  const first = await requester.submit(await aRequest(alice, {}, both), signal)
  assert.equal((await finished(requester, first.id)).state, 'settled')
  const before = Date.now()
  const one = { providers: [gone.signing.peer], bidWindowMs: 60_000 }
  const second = await requester.submit(await aRequest(alice, {}, one), signal)
  const job = await finished(requester, second.id)
  assert.deepEqual([job.state, job.error?.code], ['failed', 'NO_BIDS'])
  assert.ok(Date.now() - before < 30_000)
})

test('an offer whose announcement reaches nobody goes to those whom the DHT has for it', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  await using _bob = await market.provider(bob)
  await announce(bob)
  unheard(market, alice)
  await using requester = await market.requester(alice, {}, { directory: alice.node.directory })
  assert.equal((await oneJob(requester, alice, signal)).state, 'settled')
})

test('an offer sent directly comes from its requester alone, and is judged like any other', async () => {
  const market = new TestMarket()
  const alice = new HandMadeRequester(market, market.member())
  const [bob, mallory] = [market.member(), market.member()]
  await using _bob = await market.provider(bob)
  const send = async (from: Member, bytes: Uint8Array) =>
    from.node.requests.call(bob.signing.peer, 'offer', bytes, { signal })
  const good = await alice.offer()
  await assert.rejects(send(mallory, good.bytes), { code: 'SIGNATURE_INVALID' })
  const named = mallory.signing.seal('Offer', good.message)
  await assert.rejects(send(mallory, named.bytes), { code: 'OFFER_INVALID', data: { rule: 'R1' } })
  const old = await alice.offer({}, { issuedAt: 1, bidsUntil: 1000 })
  await assert.rejects(send(alice.member, old.bytes), { code: 'OFFER_EXPIRED' })
  await assert.rejects(send(alice.member, new Uint8Array(40)), { code: 'MESSAGE_MALFORMED' })
  assert.equal(alice.answers.length, 0)
  await send(alice.member, good.bytes)
  await send(alice.member, good.bytes)
  const other = await alice.offer()
  await alice.ask(other)
  assert.equal(alice.answers.length, 2, 'one answer each')
})
