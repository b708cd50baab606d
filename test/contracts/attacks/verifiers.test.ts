import assert from 'node:assert/strict'
import test, { beforeEach, describe } from 'node:test'

import {
  BEHAVIOUR,
  CASE_BOND,
  caseWorld,
  KIND,
  STAKE,
  STATE,
  VERDICT,
} from '../support/case-world.ts'

const world = await caseWorld()
const { open, bring, agreementOf, refusal, moved, provider, requester } = world
const verifier = await world.scriptedVerifier()
const start = await world.networkHelpers.takeSnapshot()
const HALF = STAKE / 2n
const FEE = 7n

beforeEach(() => start.restore())

/** A contested case about a wrong result, judged by the scripted verifier. */
async function contested(changes: Readonly<Record<string, unknown>> = {}) {
  await open(1n)
  const job = await agreementOf(1n, 1n, { verifier: verifier.address, ...changes })
  await bring(KIND.wrongResult, 1n, job)
  await world.contest(provider, 1n, job)
  return job
}

test('verifier’s word: right, wrong and undecided move exactly what they say', async () => {
  const rulings = [
    [VERDICT.providerRight, STATE.providerRight, [0n, 390n + 2n * CASE_BOND - FEE, 0n]],
    [VERDICT.providerWrong, STATE.providerWrong, [HALF + 2n * CASE_BOND - FEE, 0n, STAKE - HALF]],
    [VERDICT.undecided, STATE.undecided, [CASE_BOND, CASE_BOND + 195n, 0n]],
  ] as const
  for (const [verdict, state, expected] of rulings) {
    await start.restore()
    await verifier.tell(BEHAVIOUR.answer, verdict, FEE)
    const job = await contested({ onUndecided: 50n })
    assert.deepEqual(await moved(() => world.resolve(1n, job)), expected)
    assert.equal(await world.stateOf(job), state)
    const paid = verdict === VERDICT.undecided ? 0n : FEE
    assert.equal(await world.free(verifier), paid)
    assert.equal(await world.read('liabilities'), await world.held())
  }
})

test('greedy verifier: its fee is at most one bond and its time at most thirty days', async () => {
  await verifier.tell(BEHAVIOUR.answer, VERDICT.pending, 2n ** 96n - 1n, 2n ** 40n - 1n)
  const job = await contested()
  const { verifierFee, deadline } = await world.caseOf(job)
  assert.equal(verifierFee, CASE_BOND)
  assert.equal(deadline, (await world.now()) + (await world.read('MAX_VERDICT_TIME')))
})

describe('broken verifier', () => {
  for (const name of ['revert', 'burnGas', 'returnNothing', 'returnShort', 'reenter'] as const) {
    test(`broken verifier: ${name}: the quote counts as none, and the case ends undecided`, async () => {
      await verifier.tell(BEHAVIOUR[name], VERDICT.providerRight, FEE)
      const job = await contested()
      assert.equal((await world.caseOf(job)).verifierFee, 0n)
      assert.deepEqual(await moved(() => world.resolve(1n, job)), [CASE_BOND, CASE_BOND, 0n])
      assert.equal(await world.stateOf(job), STATE.undecided)
      assert.equal((await world.read('channel', job.channel)).bond, 500n)
    })

    test(`broken verifier: ${name} at the verdict: the case stays until its time is over, then ends`, async () => {
      await verifier.tell(BEHAVIOUR.answer, VERDICT.pending, FEE)
      const job = await contested()
      await verifier.tell(BEHAVIOUR[name], VERDICT.providerRight, FEE)
      assert.equal(await refusal(world.resolve(1n, job)), 'ComputeEscrowTooEarly')
      await world.letExpire(job)
      assert.deepEqual(await moved(() => world.resolve(1n, job)), [CASE_BOND, CASE_BOND, 0n])
      assert.equal(await world.stateOf(job), STATE.undecided)
      assert.equal(await world.free(verifier), 0n)
    })
  }
})

test('verbose verifier: megabytes cost the case no more than the cap, and their first word counts', async () => {
  await verifier.tell(BEHAVIOUR.returnMegabytes, VERDICT.providerRight, FEE)
  const job = await contested()
  const receipt = await world.resolve(1n, job)
  assert.ok(receipt.gasUsed < 600_000n, `${receipt.gasUsed} gas`)
  assert.notEqual(await world.stateOf(job), STATE.contested)
})

test('verdict that is none: a number outside the list counts as pending', async () => {
  await verifier.tell(BEHAVIOUR.answer, 4)
  const job = await contested()
  assert.equal(await refusal(world.resolve(1n, job)), 'ComputeEscrowTooEarly')
  await world.letExpire(job)
  await world.resolve(1n, job)
  assert.equal(await world.stateOf(job), STATE.undecided)
})

test('verifier that flips: what it says first is final', async () => {
  await verifier.tell(BEHAVIOUR.flip, 0, FEE)
  const job = await contested()
  await world.resolve(1n, job)
  const state = await world.stateOf(job)
  assert.ok(state === STATE.providerRight || state === STATE.providerWrong)
  assert.equal(await refusal(world.resolve(1n, job)), 'ComputeEscrowWrongCaseState')
  assert.equal(await world.read('liabilities'), await world.held())
})

test('too little gas: nobody makes a verifier fail by calling with less than it may use', async () => {
  await verifier.tell(BEHAVIOUR.answer, VERDICT.providerRight, FEE)
  await open(1n)
  const job = await agreementOf(1n, 1n, { verifier: verifier.address })
  await bring(KIND.wrongResult, 1n, job)
  const receipt = world.receiptOf(job)
  const answer = [world.partiesOf(1n), job, receipt, await world.signReceipt(receipt)]
  const starved = world.as(provider, 'contest', [...answer, { gasLimit: 300_000n }])
  assert.equal(await refusal(starved), 'ComputeEscrowTooLittleGas')
  await world.as(provider, 'contest', answer)
  await world.letExpire(job)
  for (const gasLimit of [150_000n, 250_000n, 330_000n]) {
    const call = world.resolve(1n, job, { gasLimit })
    assert.equal(await refusal(call), 'ComputeEscrowTooLittleGas')
  }
  await world.resolve(1n, job)
  assert.equal(await world.stateOf(job), STATE.providerRight)
})

test('no verifier: an account, a precompile or the escrow itself leaves the split', async () => {
  const nobody = [requester.address, `0x${'4'.padStart(40, '0')}`, world.address]
  for (const address of nobody) {
    await start.restore()
    const job = await contested({ verifier: address, onUndecided: 100n })
    const { verifierFee } = await world.caseOf(job)
    await world.letExpire(job)
    const ended = await moved(() => world.resolve(1n, job))
    assert.deepEqual(ended, [CASE_BOND, CASE_BOND + 390n, 0n])
    assert.ok(verifierFee <= CASE_BOND)
  }
})

test('split above a whole: more than a hundred percent is a hundred', async () => {
  await verifier.tell(BEHAVIOUR.answer, VERDICT.undecided)
  const job = await contested({ onUndecided: 255n })
  assert.deepEqual(await moved(() => world.resolve(1n, job)), [CASE_BOND, CASE_BOND + 390n, 0n])
})

test('conceding before the verdict spares the verifier’s fee', async () => {
  await verifier.tell(BEHAVIOUR.answer, VERDICT.pending, FEE)
  const job = await contested()
  const ended = await moved(() => world.concede(provider, 1n, job))
  assert.deepEqual(ended, [HALF + 2n * CASE_BOND, 0n, STAKE - HALF])
  assert.equal(await world.free(verifier), 0n)
})
