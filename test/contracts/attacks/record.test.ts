import assert from 'node:assert/strict'
import test, { beforeEach } from 'node:test'

import { BEHAVIOUR, caseWorld, KIND, PRICE, STATE, VERDICT } from '../support/case-world.ts'

const world = await caseWorld()
const { as, read, open, bring, agreementOf, requester, provider, stranger, treasury, owner } = world
const verifier = await world.scriptedVerifier()
const start = await world.networkHelpers.takeSnapshot()

beforeEach(() => start.restore())

const recordOf = async (who: { address: string }) => {
  const { feesPaid, faults } = await read('account', who.address)
  return [feesPaid, faults]
}
const ruling = async (verdict: number) => {
  await verifier.tell(BEHAVIOUR.answer, verdict)
  await open(1n)
  const job = await agreementOf(1n, 1n, { verifier: verifier.address })
  await bring(KIND.wrongResult, 1n, job)
  await world.contest(provider, 1n, job)
  await world.resolve(1n, job)
}

test('sybil reputation: the record of fees moves by the fees that were really taken, and by nothing else', async () => {
  await open(1n)
  assert.deepEqual(await recordOf(provider), [0n, 0n])
  await as(stranger, 'claim', [...(await world.voucherArguments(1n, PRICE))])
  assert.deepEqual(await recordOf(provider), [10n, 0n])
  await as(stranger, 'collectFees', [[provider.address]])
  assert.deepEqual(await recordOf(provider), [10n, 0n])
  assert.deepEqual(await recordOf(requester), [0n, 0n])
})

test('sybil reputation: where no fee is taken no record is made', async () => {
  await as(owner, 'scheduleFeePolicy', [0n, treasury.address])
  await world.networkHelpers.time.increase(await read('FEE_DELAY'))
  await as(owner, 'applyFeePolicy', [])
  await open(1n)
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, PRICE))])
  assert.deepEqual(await recordOf(provider), [0n, 0n])
})

test('sybil reputation: deposits, and channels that pay nothing, move nothing but first seen', async () => {
  assert.equal((await read('account', stranger.address)).firstSeen, 0n)
  await world.fund(stranger.address, 1n)
  const seen = await world.now()
  await open(1n)
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, 0n))])
  for (const who of [stranger, requester, provider]) assert.deepEqual(await recordOf(who), [0n, 0n])
  await world.fund(stranger.address, 1n)
  assert.equal((await read('account', stranger.address)).firstSeen, seen)
})

test('faults: one for whoever loses, be it by silence or by a verdict, and none for the other', async () => {
  await ruling(VERDICT.providerRight)
  assert.deepEqual([await world.faultsOf(requester), await world.faultsOf(provider)], [1n, 0n])
  await start.restore()
  await ruling(VERDICT.providerWrong)
  assert.deepEqual([await world.faultsOf(requester), await world.faultsOf(provider)], [0n, 1n])
  await start.restore()
  await ruling(VERDICT.undecided)
  assert.deepEqual([await world.faultsOf(requester), await world.faultsOf(provider)], [0n, 0n])
})

test('faults: a requester that pays when asked has none, a provider that concedes a wrong result has one', async () => {
  await open(1n)
  const [first, second] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  await bring(KIND.nonPayment, 1n, first)
  await world.concede(requester, 1n, first)
  assert.equal(await world.stateOf(first), STATE.providerRight)
  assert.equal(await world.faultsOf(requester), 0n)
  await bring(KIND.wrongResult, 1n, second)
  await world.concede(provider, 1n, second)
  assert.equal(await world.faultsOf(provider), 1n)
})
