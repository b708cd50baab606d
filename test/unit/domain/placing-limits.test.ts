import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Candidate } from '../../../node/domain/candidate.ts'
import { place, type PlacingLimits } from '../../../node/domain/placement.ts'
import { minute, second } from '../../../node/domain/units.ts'
import { account, aCandidate } from '../../support/candidates.ts'
import { anOffer, NOW } from '../../support/messages.ts'

const OFFER = anOffer({ payEveryMs: 0, taskTimeoutMs: minute })
const numbered = (tasks: number) => Array.from({ length: tasks }, (_, at) => at)
const deal = (tasks: number, limits: PlacingLimits, ...candidates: Candidate[]) =>
  place(OFFER, numbered(tasks), candidates, NOW, limits)
const within = (ms: number): PlacingLimits => ({ deadlineAt: NOW + ms })
/** Tasks by the number of the provider. */
const counts = ({ placements }: ReturnType<typeof place>, ...numbers: number[]) =>
  numbers.map((n) =>
    placements
      .filter(({ provider }) => provider === account(n))
      .reduce((sum, { tasks }) => sum + tasks.length, 0),
  )

test('a thousand tasks and one bid for one at a time: only as many as it ends before the deadline', () => {
  const slow = aCandidate(1, { capacity: 1, etaMs: 500 }, { taskMs: second })
  const placed = deal(1000, within(10 * second), slow)
  assert.deepEqual(counts(placed, 1), [9])
  assert.deepEqual(placed.unplaced, { code: 'JOB_DEADLINE', tasks: 991 })
})

test('a deadline: where no pace is known a time limit is an upper bound, so it refuses nothing', () => {
  const placed = deal(1000, within(10 * second), aCandidate(1, { capacity: 1 }))
  assert.deepEqual([counts(placed, 1), placed.unplaced], [[1000], undefined])
})

test('a deadline: who says itself that it starts too late gets nothing', () => {
  const placed = deal(1, within(second), aCandidate(1, { etaMs: second }))
  assert.deepEqual(placed, { placements: [], unplaced: { code: 'JOB_DEADLINE', tasks: 1 } })
  assert.equal(deal(1, within(second), aCandidate(1, { etaMs: second - 1 })).placements.length, 1)
})

test('a deadline: rounds after the first go where they end the soonest, not to each in turn', () => {
  const cheap = aCandidate(1, { price: 1n, capacity: 1, etaMs: 0 }, { taskMs: 10 * second })
  const fast = aCandidate(2, { price: 2n, capacity: 1, etaMs: 0 }, { taskMs: second })
  assert.deepEqual(counts(deal(12, within(minute), cheap, fast), 1, 2), [1, 11])
  assert.deepEqual(counts(deal(12, {}, cheap, fast), 1, 2), [6, 6])
})

test('a deadline: who is not known is taken to be as slow as the slowest that is', () => {
  const known = aCandidate(1, { capacity: 1, etaMs: 0 }, { taskMs: second })
  const unknown = aCandidate(2, { capacity: 1, etaMs: 0 })
  assert.deepEqual(counts(deal(20, within(10 * second), known, unknown), 1, 2), [10, 10])
  assert.deepEqual(counts(deal(25, within(10 * second), known, unknown), 1, 2), [10, 15])
})

test('a deadline: newcomers and who has failed lately get what nobody else has the time for', () => {
  const known = aCandidate(1, { capacity: 1, etaMs: 0 }, { taskMs: second })
  const newcomer = aCandidate(2, { capacity: 1, etaMs: 0 }, { proven: false, taskMs: 2 * second })
  const resting = aCandidate(3, { capacity: 1, etaMs: 0 }, { faults: 1, taskMs: second })
  const all = [known, newcomer, resting]
  assert.deepEqual(counts(deal(11, within(10 * second), ...all), 1, 2, 3), [10, 1, 0])
  assert.deepEqual(counts(deal(99, within(10 * second), ...all), 1, 2, 3), [10, 5, 10])
})

test('a budget: the rest is left over and says so', () => {
  const placed = deal(10, { budget: 35n }, aCandidate(1, { price: 10n }))
  assert.deepEqual(counts(placed, 1), [3])
  assert.deepEqual(placed.unplaced, { code: 'JOB_BUDGET', tasks: 7 })
})

test('a budget: dearer bids are taken only as far as the rest is still paid for at the cheapest', () => {
  const cheap = aCandidate(1, { price: 1n, capacity: 1 })
  const dear = aCandidate(2, { price: 9n, capacity: 4 })
  assert.deepEqual(counts(deal(10, { budget: 10n }, cheap, dear), 1, 2), [10, 0])
  assert.deepEqual(counts(deal(10, { budget: 26n }, cheap, dear), 1, 2), [8, 2])
  assert.deepEqual(counts(deal(10, { budget: 99n }, cheap, dear), 1, 2), [2, 8])
})

test('a budget: of a service, the intervals that are agreed at once must fit', () => {
  const offer = anOffer({ payEveryMs: 10 * second, taskTimeoutMs: minute })
  const placed = (budget: bigint) =>
    place(offer, [0], [aCandidate(1, { price: 2n })], NOW, { budget }).unplaced?.code
  assert.deepEqual([placed(39n), placed(40n)], ['JOB_BUDGET', undefined])
})

test('limits: when nobody qualifies they are not to blame', () => {
  assert.deepEqual(deal(1, { budget: 0n, ...within(0) }), { placements: [] })
  const dear = aCandidate(1, { price: OFFER.maxPrice + 1n })
  assert.deepEqual(deal(1, { budget: 0n }, dear), { placements: [] })
})

const cases = fc.record({
  tasks: fc.nat(60),
  budget: fc.option(fc.bigInt(0n, 200n), { nil: undefined }),
  leftMs: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
  candidates: fc.uniqueArray(fc.nat(200), { maxLength: 10 }).chain((numbers) =>
    fc.tuple(
      ...numbers.map((n) =>
        fc
          .record({
            price: fc.bigInt(1n, 9n),
            capacity: fc.integer({ min: 1, max: 5 }),
            believed: fc.integer({ min: 1, max: 5 }),
            etaMs: fc.nat(9),
            taskMs: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
            proven: fc.boolean(),
            faults: fc.nat(1),
          })
          .map(({ believed, taskMs, proven, faults, ...bid }) =>
            aCandidate(n, bid, {
              capacity: Math.min(believed, bid.capacity),
              proven,
              faults,
              ...(taskMs !== undefined && { taskMs }),
            }),
          ),
      ),
    ),
  ),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never
const limitsOf = ({ budget, leftMs }: Case): PlacingLimits => ({
  ...(budget !== undefined && { budget }),
  ...(leftMs !== undefined && within(leftMs)),
})
const placedOf = (each: Case) => deal(each.tasks, limitsOf(each), ...each.candidates)

test('limits: no task is dealt twice, none is lost, and what is left over has a reason', () => {
  fc.assert(
    fc.property(cases, (each) => {
      const { placements, unplaced } = placedOf(each)
      const dealt = placements.flatMap(({ tasks }) => tasks)
      assert.equal(new Set(dealt).size, dealt.length)
      const left = each.tasks - dealt.length
      if (each.candidates.length > 0) assert.equal(unplaced?.tasks ?? 0, left)
    }),
  )
})

test('limits: the budget is never exceeded, and not left unused while a task could still be paid', () => {
  fc.assert(
    fc.property(cases, (each) => {
      const { placements, unplaced } = placedOf(each)
      const spent = placements.reduce(
        (sum, { tasks, pricePerTask }) => sum + pricePerTask * BigInt(tasks.length),
        0n,
      )
      if (each.budget === undefined) return
      assert.ok(spent <= each.budget)
      const cheapest = each.candidates
        .map(({ bid }) => bid.price)
        .sort((a, b) => (a < b ? -1 : 1))[0]
      if (each.leftMs === undefined && unplaced !== undefined)
        assert.ok(each.budget - spent < (cheapest ?? 0n))
    }),
  )
})

test('limits: nobody whose pace is known has more rounds than end in time, of no more tasks than it runs at once', () => {
  fc.assert(
    fc.property(cases, (each) => {
      const placed = placedOf(each)
      for (const [at, { bid, capacity, taskMs }] of each.candidates.entries()) {
        const [count = 0] = counts(placed, Number(BigInt(bid.provider)))
        if (count === 0 || each.leftMs === undefined) continue
        assert.ok(bid.etaMs < each.leftMs, `candidate ${at}`)
        if (taskMs !== undefined)
          assert.ok(bid.etaMs + Math.ceil(count / capacity) * taskMs <= each.leftMs)
      }
    }),
  )
})

test('limits: the order of the bids does not change the placement, and it is the same each time', () => {
  fc.assert(
    fc.property(
      cases.chain((each) =>
        fc.tuple(
          fc.constant(each),
          fc.shuffledSubarray([...each.candidates], { minLength: each.candidates.length }),
        ),
      ),
      ([each, shuffled]) => {
        assert.deepEqual(placedOf(each), deal(each.tasks, limitsOf(each), ...shuffled))
      },
    ),
  )
})
