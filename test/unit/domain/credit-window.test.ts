import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  creditWindow,
  hasCredit,
  MAX_WRITTEN_OFF,
  STANDING_AFTER_MS,
  type CreditHistory,
  type CreditTerms,
  type Standing,
} from '../../../node/domain/credit-window.ts'

const TERMS: CreditTerms = { start: 100n, most: 10_000n }
const AMOUNTS = [0n, 1n, 99n, 100n, 5_000n, 9_900n, 9_901n, 10n ** 30n]
const STRANGER: CreditHistory = { paid: 0n, writtenOff: 0, lost: 0n }
const OLD: Standing = { faults: 0, feesPaid: 0n, knownMs: STANDING_AFTER_MS }

function window(changes: Partial<CreditHistory>, terms = TERMS): bigint {
  return creditWindow(terms, { ...STRANGER, ...changes })
}

test('a stranger has the start, and never more than the most', () => {
  assert.equal(window({}), 100n)
  assert.equal(window({}, { start: 100n, most: 50n }), 50n)
  assert.equal(window({ paid: 10n ** 30n }), 10_000n)
})

test('the window never narrows by paying and never widens by not paying', () => {
  for (const paid of AMOUNTS) {
    for (let writtenOff = 0; writtenOff <= MAX_WRITTEN_OFF; writtenOff++) {
      for (const lost of AMOUNTS) {
        const before = window({ paid, writtenOff, lost })
        assert.ok(window({ paid: paid + 1n, writtenOff, lost }) >= before)
        assert.ok(window({ paid, writtenOff: writtenOff + 1, lost }) <= before)
        assert.ok(window({ paid, writtenOff, lost: lost + 1n }) <= before)
        assert.ok(before >= 0n && before <= TERMS.most)
      }
    }
  }
})

test('after MAX_WRITTEN_OFF shares left unpaid there is nothing, whatever was paid', () => {
  assert.equal(window({ paid: 10n ** 30n, writtenOff: MAX_WRITTEN_OFF }), 0n)
})

test('credit is there up to the window and not beyond', () => {
  assert.equal(hasCredit(100n, 40n, 60n), true)
  assert.equal(hasCredit(100n, 40n, 61n), false)
})

test('each case that a requester lost halves its window, and takes what a good record is worth', () => {
  const lostCases = (faults: number) => window({ standing: { ...OLD, feesPaid: 100n, faults } })
  assert.deepEqual([0, 1, 2, 3].map(lostCases), [200n, 50n, 25n, 12n])
  assert.equal(lostCases(2 ** 32), 0n)
})

test('a good record widens the window up to twice the start: half of it for age, and what it paid in fees', () => {
  const young = { ...OLD, knownMs: STANDING_AFTER_MS - 1 }
  assert.equal(window({ standing: young }), 100n)
  assert.equal(window({ standing: OLD }), 150n)
  assert.equal(window({ standing: { ...young, feesPaid: 30n } }), 130n)
  assert.equal(window({ standing: { ...OLD, feesPaid: 10n ** 30n } }), 200n)
})

/** What a requester does next, which its provider answers by the window. */
type Step =
  | { readonly type: 'takes'; readonly amount: bigint }
  | { readonly type: 'pays' | 'cancels' | 'loses a case' }

const takes = fc.record({
  type: fc.constant('takes' as const),
  amount: fc.bigInt({ min: 1n, max: 150n }),
})
const others = fc.constantFrom<Step>(
  { type: 'pays' },
  { type: 'cancels' },
  { type: 'loses a case' },
)
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: takes }, { weight: 2, arbitrary: others }))

test('over any sequence of taking, paying, cancelling and lost cases nobody gains more than the start over what it paid', () => {
  const standings = fc.constantFrom<Standing | undefined>(undefined, OLD, { ...OLD, feesPaid: 9n })
  fc.assert(
    fc.property(steps, standings, (sequence, first) => {
      let [paid, lost, writtenOff, standing] = [0n, 0n, 0, first]
      const most = first === undefined ? TERMS.start : 2n * TERMS.start
      const open: bigint[] = []
      for (const step of sequence) {
        const unpaid = open.reduce((sum, each) => sum + each, 0n)
        const now = window({ paid, lost, writtenOff, ...(standing && { standing }) })
        if (step.type === 'takes' && hasCredit(now, unpaid, step.amount)) open.push(step.amount)
        if (step.type === 'pays') paid += open.shift() ?? 0n
        if (step.type === 'cancels' && open.length > 0) {
          lost += open.pop() ?? 0n
          writtenOff++
        }
        if (step.type === 'loses a case')
          standing = { ...(standing ?? OLD), faults: (standing?.faults ?? 0) + 1 }
        const gained = lost + open.reduce((sum, each) => sum + each, 0n)
        assert.ok(gained <= most + paid, `${gained} for ${paid}`)
      }
    }),
  )
})

test('who takes as much as it may and cancels, again and again, has the start and not a bit more', () => {
  let lost = 0n
  for (let writtenOff = 0; writtenOff < MAX_WRITTEN_OFF; writtenOff++)
    lost += window({ writtenOff, lost })
  assert.equal(lost, TERMS.start)
})
