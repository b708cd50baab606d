import assert from 'node:assert/strict'
import { test } from 'node:test'
import { voucherFault, type PaidShare, type Voucher } from '../../../node/domain/voucher.ts'
import { aVoucher, bytes32Of } from '../../support/messages.ts'

const PAID: readonly PaidShare[] = [
  { seq: 1, agreement: bytes32Of('01'), amount: 200n },
  { seq: 2, agreement: bytes32Of('02'), amount: 300n },
]
const BEFORE = aVoucher({ cumulative: 200n, jobs: 1 })
const ROOT = bytes32Of('22')

const told = (changes: Partial<Voucher>, previous: Voucher | undefined = BEFORE, deposit = 500n) =>
  voucherFault(aVoucher(changes), previous, PAID, ROOT, deposit)

test('a voucher that pays exactly the shares it names is taken, also as the first one', () => {
  assert.equal(told({}), undefined)
  assert.equal(voucherFault(aVoucher(), undefined, PAID, ROOT, 500n), undefined)
})

test('vouchers R2: a replayed or lowered voucher is refused', () => {
  assert.equal(told({}, aVoucher({ cumulative: 500n })), 'R2')
  assert.equal(told({}, aVoucher({ cumulative: 501n })), 'R2')
  assert.equal(voucherFault(aVoucher({ cumulative: 0n }), undefined, [], ROOT, 500n), 'R2')
})

test('vouchers R3: it is the sum of its shares and counts them', () => {
  assert.equal(told({ cumulative: 499n }), 'R3')
  assert.equal(told({ cumulative: 501n }, BEFORE, 1000n), 'R3')
  assert.equal(told({ jobs: 1 }), 'R3')
  assert.equal(told({ jobs: 3 }), 'R3')
})

test('vouchers R4: its root is the one over exactly these shares', () => {
  assert.equal(told({ jobsRoot: bytes32Of('23') }), 'R4')
})

test('vouchers R5: the deposit covers it, to the last unit', () => {
  assert.equal(told({}, BEFORE, 500n), undefined)
  assert.equal(told({}, BEFORE, 499n), 'R5')
})
