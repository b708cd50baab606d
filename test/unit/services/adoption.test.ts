import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour } from '../../../node/domain/units.ts'
import type { Escrow } from '../../../node/ports/escrow.ts'
import { Adoption } from '../../../node/services/adoption.ts'
import { DriftCounts } from '../../../node/services/drift.ts'
import type { Provider } from '../../../node/services/provider/provider.ts'
import type { Requester } from '../../../node/services/requester/requester.ts'
import { Watchtower } from '../../../node/services/watchtower/watchtower.ts'
import { HandMadeRequester } from '../../support/hand-made-requester.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { oneJob, TestMarket, TOKEN, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A market on one clock, which its chain goes by too, and what looks after the money of a member. */
function open() {
  const market = new TestMarket()
  const clock = new ManualClock(Date.now())
  market.chain.now = () => Math.floor(clock.now() / 1000)
  const keeping = (
    member: Member,
    requester: Requester,
    provider?: Provider,
    escrow: Escrow = market.chain.as(member.signing.address),
  ) => {
    const parts = { ...market.parts(member), clock, escrow }
    const { channels, forgotten } = requester
    const adoption = new Adoption({ ...parts, channels, forgotten, earnings: provider?.earnings })
    const counts = new DriftCounts()
    const tower = new Watchtower({ ...parts, counts, requester, ...(provider && { provider }) })
    return {
      counts,
      find: async () => adoption.pass(counts, signal),
      watch: async () => tower.pass(signal),
    }
  }
  return { market, clock, keeping }
}

test('a channel whose award never came is found by its provider, which has its bond back after a day and a notice', async () => {
  const { market, clock, keeping } = open()
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const idle = await market.requester(bob)
  await using provider = await market.provider(bob)
  const { channel } = await alice.deal()
  assert.equal(provider.earnings.get(channel), undefined)
  const { find, watch, counts } = keeping(bob, idle, provider)
  await find()
  await find()
  assert.deepEqual(counts.of('channel'), { found: 1, mended: 1 })
  assert.ok(provider.earnings.get(channel)?.adoptedAt !== undefined)
  await clock.advance(23 * hour)
  await watch()
  assert.equal(market.chain.channels.get(channel)?.status, 'open')
  await clock.advance(2 * hour)
  await watch()
  assert.equal(market.chain.channels.get(channel)?.status, 'closing')
  await clock.advance(25 * hour)
  const before = market.chain.free.get(bob.signing.address) ?? 0n
  await watch()
  assert.equal(market.chain.channels.get(channel)?.status, 'closed')
  assert.equal(market.chain.free.get(bob.signing.address), before + TOKEN)
})

test('an award on a channel that was found makes it one like any other', async () => {
  const { market, clock, keeping } = open()
  const alice = new HandMadeRequester(market, market.member())
  const bob = market.member()
  const idle = await market.requester(bob)
  await using provider = await market.provider(bob)
  const deal = await alice.deal()
  const { find, watch } = keeping(bob, idle, provider)
  await find()
  await alice.award(deal)
  assert.equal(provider.earnings.get(deal.channel)?.adoptedAt, undefined)
  await clock.advance(48 * hour)
  await watch()
  assert.equal(market.chain.channels.get(deal.channel)?.status, 'open')
})

test('a requester that lost its records finds its channel, and has its deposit back after a notice', async () => {
  const { market, clock, keeping } = open()
  const alice = market.member()
  await using _ = await market.provider(market.member())
  const before = await market.requester(alice)
  await oneJob(before, alice, signal)
  const [paying] = before.channels.all()
  assert.ok(paying)
  await before[Symbol.asyncDispose]()
  const again = { ...market.rejoin(alice), store: new MemoryStore() }
  await using requester = await market.requester(again)
  const { find, watch, counts } = keeping(again, requester)
  await find()
  assert.deepEqual(requester.forgotten.all(), [paying.id])
  assert.deepEqual(requester.channels.all(), [], 'no share goes where it is not known what is owed')
  assert.deepEqual(counts.of('channel'), { found: 1, mended: 1 })
  await watch()
  assert.equal(market.chain.channels.get(paying.id)?.status, 'open')
  await clock.advance(3 * hour)
  await watch()
  await clock.advance(25 * hour)
  await watch()
  assert.equal(market.chain.channels.get(paying.id)?.status, 'closed')
})

test('own channels are not found again, and one in which nothing is left is not taken up', async () => {
  const { market, clock, keeping } = open()
  const alice = market.member()
  await using _ = await market.provider(market.member())
  await using requester = await market.requester(alice)
  await oneJob(requester, alice, signal)
  const known = keeping(alice, requester)
  await known.find()
  assert.equal(known.counts.total, 0)
  const [paying] = requester.channels.all()
  assert.ok(paying)
  const escrow = market.chain.as(alice.signing.address)
  await escrow.startClose(paying.id, { signal })
  await clock.advance(25 * hour)
  await escrow.close(paying.id, { signal })
  const forgetful = { ...market.rejoin(alice), store: new MemoryStore() }
  await using anew = await market.requester(forgetful)
  const { find, counts } = keeping(forgetful, anew)
  await find()
  assert.equal(counts.total, 0)
})

test('openings are read range by range, from where the last pass came to and a little before', async () => {
  const { market, keeping } = open()
  const alice = market.member()
  await using requester = await market.requester(alice)
  const asked: number[] = []
  let newest = 500
  const escrow: Escrow = Object.assign(market.chain.as(alice.signing.address), {
    channelsOf: async ({ fromBlock }: { readonly fromBlock: number }) => {
      asked.push(fromBlock)
      return { channels: [], upTo: Math.min(newest, fromBlock + 199), newest }
    },
  })
  const { find } = keeping(alice, requester, undefined, escrow)
  await find()
  assert.deepEqual(asked.splice(0), [0, 200, 400])
  newest = 510
  await find()
  assert.deepEqual(asked.splice(0), [500 - 64])
  newest = 1_000_000
  await find()
  assert.equal(asked.length, 20, 'the rest is for the next pass')
  const last = asked.splice(0).at(-1) ?? 0
  await find()
  assert.equal(asked[0], last + 199 - 64)
})
