import assert from 'node:assert/strict'
import test, { beforeEach } from 'node:test'

import { CASE_BOND, caseWorld, KIND, PRICE, STATE } from '../support/case-world.ts'

const world = await caseWorld()
const { as, open, bring, agreementOf, refusal, moved, stranger, provider, shareOf } = world
const start = await world.networkHelpers.takeSnapshot()

beforeEach(() => start.restore())

const claimOf = async (cumulative: bigint) =>
  as(stranger, 'claim', [...(await world.voucherArguments(1n, cumulative))])

test('double pay: a job that a voucher paid yields nothing as a case, without a word of the requester', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await claimOf(PRICE)
  assert.equal(await refusal(bring(KIND.nonPayment, 1n, job)), 'ComputeEscrowNothingToClaim')
})

test('double pay: a voucher of a job that a case paid yields nothing', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  await world.letExpire(job)
  assert.deepEqual(await moved(() => world.timeout(1n, job)), [0n, 390n + CASE_BOND, 0n])
  assert.equal(await refusal(claimOf(PRICE)), 'ComputeEscrowNothingToClaim')
})

test('double pay: a voucher that is claimed while the case is open leaves the case nothing', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  await claimOf(PRICE)
  await world.letExpire(job)
  assert.deepEqual(await moved(() => world.timeout(1n, job)), [0n, CASE_BOND, 0n])
})

test('double pay: what a voucher paid of a job is missing in what the case pays', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await claimOf(150n)
  await bring(KIND.nonPayment, 1n, job)
  assert.equal((await world.caseOf(job)).amount, PRICE - 150n)
  await world.letExpire(job)
  await world.timeout(1n, job)
  const { settled } = await world.read('channel', job.channel)
  assert.equal(settled, PRICE)
})

test('double pay: an agreement has one case, whatever became of it', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  const again = () => refusal(bring(KIND.nonPayment, 1n, job))
  assert.equal(await again(), 'ComputeEscrowWrongCaseState')
  await world.letExpire(job)
  await world.timeout(1n, job)
  assert.equal(await again(), 'ComputeEscrowWrongCaseState')
  assert.equal(await refusal(bring(KIND.wrongResult, 1n, job)), 'ComputeEscrowWrongCaseState')
})

test('double pay: two cases and a voucher of the same two jobs pay each job once', async () => {
  await open(1n)
  const jobs = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  for (const job of jobs) await bring(KIND.nonPayment, 1n, job)
  await claimOf(2n * PRICE)
  for (const job of jobs) {
    await world.letExpire(job)
    await world.timeout(1n, job)
  }
  assert.equal((await world.read('channel', jobs[0]?.channel)).settled, 2n * PRICE)
})

test('double pay: a job paid out of turn is shown to be paid, and nothing moves but the bond back', async () => {
  await open(1n)
  const second = await agreementOf(1n, 2n)
  const paid = [shareOf(second)]
  const [voucher, signature] = await world.voucherOver(1n, paid)
  await as(stranger, 'claim', [world.partiesOf(1n), voucher, signature])
  await bring(KIND.nonPayment, 1n, second)
  await as(stranger, 'provePaid', [...(await world.paidArguments(1n, second, paid, 0))])
  await world.letExpire(second)
  const faults = await world.faultsOf(provider)
  assert.deepEqual(await moved(() => world.timeout(1n, second)), [0n, CASE_BOND, 0n])
  assert.equal(await world.stateOf(second), STATE.paid)
  assert.equal(await world.faultsOf(provider), faults)
})

test('double pay: a voucher that was not claimed, or pays less or another job, is no proof of payment', async () => {
  await open(1n)
  const [first, second] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  await bring(KIND.nonPayment, 1n, second)
  const attempt = async (...args: Parameters<typeof world.paidArguments>) =>
    refusal(as(stranger, 'provePaid', [...(await world.paidArguments(...args))]))
  assert.equal(await attempt(1n, second, [shareOf(second)], 0), 'ComputeEscrowNotPaid')
  await claimOf(PRICE)
  assert.equal(await attempt(1n, second, [shareOf(first)], 0), 'ComputeEscrowNotPaid')
  const less = [shareOf(second, PRICE - 1n)]
  assert.equal(await attempt(1n, second, less, 0), 'ComputeEscrowNotPaid')
})

test('double pay: a voucher whose total is less than the job it lists is no proof of payment', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  for (const total of [0n, PRICE - 1n]) {
    const forged = [...(await world.paidArguments(1n, job, [shareOf(job)], 0, total))]
    assert.equal(await refusal(as(stranger, 'provePaid', forged)), 'ComputeEscrowNotPaid')
  }
})

test('double pay: a false proof of payment that puts the job in another’s place loses', async () => {
  await open(1n)
  const [first, second] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  await claimOf(PRICE)
  await bring(KIND.nonPayment, 1n, second)
  const forged = await world.paidArguments(1n, second, [shareOf(second)], 0)
  await as(stranger, 'provePaid', [...forged])
  const truth = [shareOf(first)]
  const [voucher, signature] = await world.voucherOver(1n, truth)
  const args = [forged[0], second, forged[2], forged[4], voucher, signature]
  const disprove = [...args, ...world.placeOf(truth, 0)]
  const won = await moved(() => as(stranger, 'disprovePaid', disprove))
  assert.deepEqual(won, [0n, 390n + CASE_BOND, 0n])
  assert.equal(await world.stateOf(second), STATE.providerRight)
})

test('double pay: a false proof of payment that adds the job without its price loses', async () => {
  await open(1n)
  const [first, second] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  await claimOf(PRICE)
  await bring(KIND.nonPayment, 1n, second)
  const both = [shareOf(first), shareOf(second)]
  const forged = await world.paidArguments(1n, second, both, 1, PRICE)
  await as(stranger, 'provePaid', [...forged])
  const truth = [shareOf(first)]
  const [voucher, signature] = await world.voucherOver(1n, truth)
  const args = [forged[0], second, forged[2], forged[4], voucher, signature]
  const disprove = [...args, ...world.placeOf(truth, 0)]
  const won = await moved(() => as(stranger, 'disprovePaid', disprove))
  assert.deepEqual(won, [0n, 390n + CASE_BOND, 0n])
  assert.equal(await world.stateOf(second), STATE.providerRight)
})

test('double pay: a true proof of payment stands against the earlier and later vouchers of its list', async () => {
  await open(1n, { deposit: 4n * PRICE })
  const jobs = [2n, 3n, 4n].map((seq) => agreementOf(1n, seq))
  const [before, job, after] = await Promise.all(jobs)
  assert.ok(before && job && after)
  const lists = [[shareOf(before)], [shareOf(before), shareOf(job)]]
  lists.push([...lists.flat().slice(-2), shareOf(after)])
  const [, shown, longer] = lists
  assert.ok(shown && longer)
  const [paid, signed] = await world.voucherOver(1n, shown)
  await as(stranger, 'claim', [world.partiesOf(1n), paid, signed])
  await bring(KIND.nonPayment, 1n, job)
  const proof = await world.paidArguments(1n, job, shown, 1)
  await as(stranger, 'provePaid', [...proof])
  for (const list of lists) {
    const [voucher, signature] = await world.voucherOver(1n, list)
    const args = [proof[0], job, proof[2], proof[4], voucher, signature]
    const place = world.placeOf(list, Math.min(1, list.length - 1))
    const call = as(provider, 'disprovePaid', [...args, ...place])
    assert.equal(await refusal(call), 'ComputeEscrowNoContradiction')
  }
})

test('double pay: a provider accused of no show whose job was paid keeps stake, bond and record', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  const paid = [shareOf(job)]
  const [voucher, signature] = await world.voucherOver(1n, paid)
  await as(stranger, 'claim', [world.partiesOf(1n), voucher, signature])
  await world.networkHelpers.time.increaseTo(job.finishBy)
  const faults = await world.faultsOf(provider)
  const whole = await moved(async () => {
    await bring(KIND.noShow, 1n, job)
    await world.showReceipt(1n, job)
    await as(stranger, 'provePaid', [...(await world.paidArguments(1n, job, paid, 0))])
    await world.letExpire(job)
    await world.timeout(1n, job)
  })
  assert.deepEqual(whole, [0n, 0n, 0n])
  assert.equal(await world.faultsOf(provider), faults)
  assert.equal((await world.read('channel', job.channel)).bond, 500n)
})

test('double pay: what a case paid does not pass for a payment of another job', async () => {
  await open(1n)
  const [first, second] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  for (const job of [first, second]) await bring(KIND.nonPayment, 1n, job)
  await world.concede(world.requester, 1n, first)
  const forged = await world.paidArguments(1n, second, [shareOf(second)], 0)
  assert.equal(await refusal(as(stranger, 'provePaid', [...forged])), 'ComputeEscrowNotPaid')
})
