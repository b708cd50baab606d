import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareCandidates, place, type Candidate } from '../../../node/domain/placement.ts'
import type { Bid } from '../../../node/domain/bid.ts'
import { MAX_SHARE_TASKS } from '../../../node/domain/offer.ts'
import type { Address } from '../../../node/domain/ids.ts'
import { aBid, anOffer, NOW } from '../../support/messages.ts'

type Extras = Partial<Omit<Candidate, 'bid'>>

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const candidate = (n: number, bid: Partial<Bid> = {}, extras: Extras = {}): Candidate => ({
  bid: aBid({ provider: account(n), capacity: 4, ...bid }),
  affine: false,
  faults: 0,
  capacity: bid.capacity ?? 4,
  proven: true,
  msPerTask: Infinity,
  lot: String(n).padStart(3, '0'),
  ...extras,
})
const deal = (tasks: number, ...candidates: Candidate[]) =>
  place(
    anOffer(),
    Array.from({ length: tasks }, (_, at) => at),
    candidates,
    NOW,
  )
const winner = (...candidates: Candidate[]) => deal(1, ...candidates)[0]?.provider

const candidates = fc.uniqueArray(fc.nat(200), { maxLength: 12 }).chain((numbers) =>
  fc.tuple(
    ...numbers.map((n) =>
      fc
        .record({
          price: fc.bigInt(1n, 3n),
          capacity: fc.integer({ min: 1, max: 5 }),
          etaMs: fc.nat(2),
          cached: fc.boolean(),
          affine: fc.boolean(),
          faults: fc.nat(2),
        })
        .map(({ affine, faults, ...bid }) => candidate(n, bid, { affine, faults })),
    ),
  ),
)

test('the order of the bids does not change the placement', () => {
  const inAnyOrder = candidates.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray([...all], { minLength: all.length }),
      fc.nat(40),
    ),
  )
  fc.assert(
    fc.property(inAnyOrder, ([all, shuffled, tasks]) => {
      assert.deepEqual(deal(tasks, ...all), deal(tasks, ...shuffled))
    }),
  )
})

test('every task is dealt once, ascending within a share, whoever bids', () => {
  fc.assert(
    fc.property(candidates, fc.nat(40), (all, tasks) => {
      const placed = deal(tasks, ...all)
      const dealt = placed.flatMap((share) => share.tasks).sort((a, b) => a - b)
      const expected = all.length === 0 ? 0 : tasks
      assert.deepEqual(
        dealt,
        Array.from({ length: expected }, (_, at) => at),
      )
      for (const share of placed)
        assert.deepEqual(
          share.tasks,
          [...share.tasks].sort((a, b) => a - b),
        )
    }),
  )
})

test('no provider gets another round of work while one waits for its first', () => {
  fc.assert(
    fc.property(candidates, fc.nat(40), (all, tasks) => {
      const counts = new Map(
        deal(tasks, ...all).map(({ provider, tasks: own }) => [provider, own.length]),
      )
      const trusted = all.some(({ faults }) => faults === 0)
      const used = trusted ? all.filter(({ faults }) => faults === 0) : all
      const rounds = used.map(({ bid }) =>
        Math.ceil((counts.get(bid.provider) ?? 0) / bid.capacity),
      )
      if (rounds.length > 0) assert.ok(Math.max(...rounds) - Math.min(...rounds) <= 1)
    }),
  )
})

test('candidates are in a total order: antisymmetric, transitive, no ties', () => {
  fc.assert(
    fc.property(candidates, (all) => {
      for (const a of all)
        for (const b of all) {
          if (a !== b)
            assert.equal(Math.sign(compareCandidates(a, b)), -Math.sign(compareCandidates(b, a)))
          if (a !== b) assert.notEqual(compareCandidates(a, b), 0)
          for (const c of all)
            if (compareCandidates(a, b) < 0 && compareCandidates(b, c) < 0)
              assert.ok(compareCandidates(a, c) < 0)
        }
    }),
    { numRuns: 50 },
  )
})

test('one task goes to fewer faults, then to the cheapest, a channel, the image, the pace, the sooner, the lot', () => {
  const best = { affine: true, faults: 0 }
  const quick = { price: 2n, cached: true, etaMs: 0 }
  assert.equal(
    winner(candidate(1, { price: 1n }, { faults: 1 }), candidate(2, { price: 2n })),
    account(2),
  )
  assert.equal(
    winner(candidate(1, { price: 1n }, { faults: 2 }), candidate(2, { price: 2n }, { faults: 1 })),
    account(2),
  )
  assert.equal(
    winner(candidate(1, quick, { ...best, msPerTask: 1 }), candidate(2, { price: 1n })),
    account(2),
  )
  assert.equal(
    winner(candidate(1, { etaMs: 0 }, { msPerTask: 2 }), candidate(2, {}, { msPerTask: 1 })),
    account(2),
  )
  assert.equal(
    winner(candidate(1, quick, { ...best, faults: 1 }), candidate(2, { price: 2n })),
    account(2),
  )
  assert.equal(winner(candidate(1, quick), candidate(2, { price: 2n, etaMs: 5 }, best)), account(2))
  assert.equal(
    winner(candidate(1, { etaMs: 0 }), candidate(2, { cached: true, etaMs: 5 })),
    account(2),
  )
  assert.equal(winner(candidate(1, { etaMs: 2 }), candidate(2, { etaMs: 1 })), account(2))
  assert.equal(winner(candidate(1, {}, { lot: 'b' }), candidate(2, {}, { lot: 'a' })), account(2))
})

test('tasks spread by capacity', () => {
  const placed = deal(12, candidate(1, { capacity: 4 }), candidate(2, { capacity: 2 }))
  assert.deepEqual(
    placed.map(({ tasks }) => tasks.length),
    [8, 4],
  )
})

test('nobody qualifies: too dear, expired at this very moment, or without room', () => {
  assert.deepEqual(deal(4), [])
  assert.deepEqual(deal(4, candidate(1, { price: anOffer().maxPrice + 1n })), [])
  assert.deepEqual(deal(4, candidate(1, { validUntil: NOW })), [])
  assert.deepEqual(deal(4, candidate(1, { capacity: 0 })), [])
  assert.equal(deal(4, candidate(1, { validUntil: NOW + 1, price: anOffer().maxPrice })).length, 1)
})

test('placement: beyond MAX_SHARE_TASKS a provider gets several shares, and each knows what is ahead', () => {
  const shares = deal(2 * MAX_SHARE_TASKS + 1, candidate(1))
  assert.deepEqual(
    shares.map(({ tasks, ahead }) => [tasks[0], tasks.length, ahead]),
    [
      [0, MAX_SHARE_TASKS, 0],
      [MAX_SHARE_TASKS, MAX_SHARE_TASKS, MAX_SHARE_TASKS],
      [2 * MAX_SHARE_TASKS, 1, 2 * MAX_SHARE_TASKS],
    ],
  )
})

for (const [what, tasks, providers, expected] of [
  ['a cheap stranger that claims the world', 100, [{ proven: false }, {}], [16, 84]],
  ['strangers alone', 100, [{ proven: false }, { proven: false }], [52, 48]],
  ['a stranger and who has failed lately', 40, [{ proven: false }, { faults: 1 }], [40, 0]],
  ['nobody but who has failed lately', 40, [{ faults: 2 }, { faults: 1 }], [16, 24]],
] as const)
  test(`placement of ${tasks} tasks: ${what}`, () => {
    const placed = deal(
      tasks,
      ...providers.map((extras, n) =>
        candidate(n, { price: BigInt(n + 1), capacity: 1_000_000 }, { capacity: 16, ...extras }),
      ),
    )
    const counts = providers.map((_, n) =>
      placed
        .filter(({ provider }) => provider === account(n))
        .reduce((sum, share) => sum + share.tasks.length, 0),
    )
    assert.deepEqual(counts, expected)
  })

test('placement: a thousand tasks over ten thousand bids go to the best of them, each as much as it runs at a time', () => {
  const all = Array.from({ length: 10_000 }, (_, n) =>
    candidate(n, { price: BigInt(1 + ((n * 7919) % 100)), capacity: 4 }),
  )
  const best = new Set(
    [...all]
      .sort(compareCandidates)
      .slice(0, 250)
      .map(({ bid }) => bid.provider),
  )
  const placed = deal(1000, ...all)
  assert.deepEqual(new Set(placed.map(({ provider }) => provider)), best)
  assert.ok(placed.every(({ tasks }) => tasks.length === 4))
})
