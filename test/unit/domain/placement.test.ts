import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  comparedCost,
  compareCandidates,
  standingOf,
  type Candidate,
} from '../../../node/domain/candidate.ts'
import { MAX_SHARE_TASKS } from '../../../node/domain/offer.ts'
import { place } from '../../../node/domain/placement.ts'
import { hour } from '../../../node/domain/units.ts'
import { account, aCandidate as candidate } from '../../support/candidates.ts'
import { anOffer, NOW } from '../../support/messages.ts'

const deal = (tasks: number, ...candidates: Candidate[]) =>
  place(
    anOffer(),
    Array.from({ length: tasks }, (_, at) => at),
    candidates,
    NOW,
  ).placements
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
          reputation: fc.record({ faults: fc.nat(1), standing: fc.nat(2) }),
          holds: fc.nat(1),
        })
        .map(({ price, capacity, etaMs, cached, ...extras }) =>
          candidate(n, { price, capacity, etaMs, cached }, extras),
        ),
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
      const isTrusted = (each: Candidate) => each.faults + each.reputation.faults === 0
      const used = all.some(isTrusted) ? all.filter(isTrusted) : all
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

const best = { reputation: { faults: 0, standing: 9 }, holds: 9, affine: true, msPerTask: 1 }
const good = { price: 2n, cached: true, etaMs: 0 }

for (const [what, [worse, better]] of [
  ['fewer failures', [candidate(1, good, { ...best, faults: 1 }), candidate(2, { price: 3n })]],
  [
    'fewer cases lost on the chain, which weigh as much',
    [
      candidate(1, { price: 2n }, { reputation: { faults: 2, standing: 9 } }),
      candidate(2, { price: 3n }, { faults: 1 }),
    ],
  ],
  ['the lower cost', [candidate(1, good, best), candidate(2, { price: 1n, etaMs: 5 })]],
  [
    'more fees paid, at the same cost',
    [
      candidate(1, { ...good }, { ...best, reputation: { faults: 0, standing: 8 } }),
      candidate(2, { price: 2n, etaMs: 5 }, { reputation: { faults: 0, standing: 9 } }),
    ],
  ],
  [
    'the image at hand',
    [
      candidate(1, { ...good, cached: false }, best),
      candidate(2, { ...good, etaMs: 5 }, { reputation: best.reputation }),
    ],
  ],
  [
    'more of the data at hand',
    [candidate(1, good, { ...best, holds: 8 }), candidate(2, good, { ...best, affine: false })],
  ],
  [
    'a channel at hand',
    [candidate(1, good, { affine: false, msPerTask: 1 }), candidate(2, good, { affine: true })],
  ],
  ['the pace', [candidate(1, { etaMs: 0 }, { msPerTask: 2 }), candidate(2, {}, { msPerTask: 1 })]],
  ['the sooner start', [candidate(1, { etaMs: 2 }), candidate(2, { etaMs: 1 })]],
  ['the lot', [candidate(1, {}, { lot: 'b' }), candidate(2, {}, { lot: 'a' })]],
] as const)
  test(`one task goes to ${what}, and what comes later in the order does not matter`, () => {
    assert.equal(winner(worse, better), account(2))
    assert.equal(winner(better, worse), account(2))
  })

test('opening a channel counts as an even part over what a provider could take at once, and a base unit does not outweigh it', () => {
  const offer = anOffer({ payEveryMs: 0 })
  const cost = (price: bigint, affine: boolean, capacity: number, tasks: number) =>
    comparedCost(offer, candidate(1, { price }, { affine, capacity }), tasks, 100n)
  assert.equal(cost(50n, true, 4, 10), 50n)
  assert.equal(cost(49n, false, 4, 1), 149n)
  assert.equal(cost(49n, false, 4, 10), 74n)
  assert.equal(cost(49n, false, 3, 10), 83n, 'rounded up')
  const service = anOffer({ payEveryMs: 10_000, taskTimeoutMs: hour })
  const second = comparedCost(service, candidate(1, { price: 5n }), 1, 3600n)
  assert.equal(second, 6n, 'over the seconds of a service')
})

test('fees count in doublings', () => {
  assert.deepEqual([0n, 1n, 2n, 3n, 4n, 1n << 95n].map(standingOf), [0, 1, 2, 2, 3, 96])
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
