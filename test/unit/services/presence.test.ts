import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Advert } from '../../../node/domain/advert.ts'
import { announcedTags } from '../../../node/protocol/capability-tags.ts'
import { Presence } from '../../../node/services/presence.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { NETWORK, TEST_HARDWARE, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
/** All who announce a tag. */
const announcing = (tag: string) => ({ tags: [[tag]], accepts: () => true })

function open() {
  const market = new TestMarket()
  const clock = new ManualClock()
  const presence = (member: Member, kinds: readonly string[] = ['wasm'], network = NETWORK) => {
    const { directory } = member.node
    return new Presence(
      { ...market.parts(member), clock, directory },
      { network, kinds, hardware: TEST_HARDWARE },
    )
  }
  const [alice, bob] = [market.member(), market.member()]
  const advert = ({ signing }: Member, changes: Partial<Advert> = {}) =>
    signing.seal('Advert', {
      node: signing.address,
      seq: 5,
      network: NETWORK,
      kinds: ['wasm'],
      hardware: '{}',
      issuedAt: clock.now(),
      expiresAt: clock.now() + 60_000,
      ...changes,
    }).bytes
  return { market, clock, presence, alice, bob, advert }
}

test('a peer is asked what it is; its own word counts', async () => {
  const { presence, alice, bob } = open()
  await using alices = presence(alice, [])
  await using bobs = presence(bob)
  await alices.start()
  await bobs.start()
  const [seen] = await alices.peers(signal)
  assert.equal(seen?.peer, bob.signing.peer)
  assert.equal(seen.address, bob.signing.address)
  assert.deepEqual(seen.advert?.kinds, ['wasm'])
  assert.deepEqual(JSON.parse(seen.advert.hardware), TEST_HARDWARE)
})

test('a score is told at once, in a new advert that outranks the last', async () => {
  const { presence, alice, bob, clock } = open()
  await using alices = presence(alice, [])
  await using bobs = presence(bob)
  await alices.start()
  await bobs.start()
  const before = await alices.ask(bob.signing.peer, signal)
  await clock.advance(0)
  bobs.tellScore({ measuredAt: 1, cores: 2, fuelPerSecond: 3 })
  await clock.advance(0)
  const after = await alices.ask(bob.signing.peer, signal)
  assert.ok((after?.seq ?? 0) > (before?.seq ?? 0))
  const { score } = JSON.parse(after?.hardware ?? '{}') as { score?: unknown }
  assert.deepEqual(score, { measuredAt: 1, cores: 2, fuelPerSecond: 3 })
})

test('peers of a kind are found through the directory, nobody finds itself', async () => {
  const { presence, alice, bob, clock } = open()
  await using alices = presence(alice, [])
  await using bobs = presence(bob)
  await alices.start()
  await bobs.start()
  await clock.advance(0)
  const found = await alices.find(announcing('kind=wasm'), signal)
  assert.deepEqual(
    found.map(({ peer, connected }) => [peer, connected]),
    [[bob.signing.peer, true]],
  )
  assert.deepEqual(await bobs.find(announcing('kind=wasm'), signal), [])
  assert.deepEqual(await alices.find(announcing('kind=docker'), signal), [])
})

test('a peer that does not answer is shown by its advert in the directory, until that expires', async () => {
  const { presence, alice, bob, advert, clock } = open()
  await using alices = presence(alice, [])
  const wasm = announcedTags({ kinds: ['wasm'], hardware: TEST_HARDWARE }, bob.signing.peer)
  await bob.node.directory.advertise(advert(bob), wasm, { signal })
  assert.equal((await alices.find(announcing('kind=wasm'), signal))[0]?.advert?.seq, 5)
  assert.equal((await alices.peers(signal))[0]?.advert, undefined)
  await clock.advance(60_000)
  assert.equal((await alices.find(announcing('kind=wasm'), signal))[0]?.advert, undefined)
})

test('adverts R1: an advert about another node, or that another key signed, is refused', () => {
  const { presence, alice, bob, advert } = open()
  const alices = presence(alice)
  const { peer } = bob.signing
  assert.throws(() => alices.admit(advert(bob, { node: alice.signing.address }), peer), {
    code: 'MESSAGE_MALFORMED',
    data: { type: 'Advert', rule: 'R1' },
  })
  assert.throws(() => alices.admit(advert(alice, { node: bob.signing.address }), peer), {
    code: 'SIGNATURE_INVALID',
  })
  assert.equal(alices.admit(advert(bob), peer).seq, 5)
})

test('adverts R2 to R4: foreign, stale, dated ahead or replayed adverts are refused', () => {
  const { presence, alice, bob, advert, clock } = open()
  const alices = presence(alice)
  const refused = (changes: Partial<Advert>, rule: string) =>
    assert.throws(() => alices.admit(advert(bob, changes), bob.signing.peer), {
      code: 'MESSAGE_MALFORMED',
      data: { type: 'Advert', rule },
    })
  refused({ network: 'other' }, 'R2')
  refused({ expiresAt: clock.now() }, 'R3')
  refused({ issuedAt: clock.now() + 3600_000, expiresAt: clock.now() + 3600_001 }, 'R3')
  alices.admit(advert(bob, { seq: 9 }), bob.signing.peer)
  refused({ seq: 8 }, 'R4')
  assert.equal(alices.admit(advert(bob, { seq: 9 }), bob.signing.peer).seq, 9)
})

test('of several adverts of a node the newest is chosen, wherever it stands', () => {
  const { presence, alice, bob, advert } = open()
  const alices = presence(alice)
  const [older, old, newest] = [2, 7, 11].map((seq) => advert(bob, { seq }))
  assert.ok(older && old && newest)
  assert.equal(alices.newest([newest, old, older]), 0)
  assert.equal(alices.newest([older, newest, old]), 1)
  assert.equal(alices.newest([older, old, newest]), 2)
  assert.equal(alices.newest([older]), 0)
})

test('a node’s own advert rises with every renewal, and across a restart', async () => {
  const { market, presence, alice, bob, clock } = open()
  await using bobs = presence(bob)
  const seqs: number[] = []
  let now = alice
  for (let start = 0; start < 2; start++) {
    await using alices = presence(now)
    await alices.start()
    for (let round = 0; round < 2; round++) {
      seqs.push((await bobs.peers(signal))[0]?.advert?.seq ?? 0)
      await clock.advance(10 * 60_000)
    }
    now = market.rejoin(now)
  }
  assert.equal(seqs.length, 4)
  for (const [at, seq] of seqs.entries())
    if (at > 0) assert.ok(seq > (seqs[at - 1] ?? 0), String(seqs))
})
