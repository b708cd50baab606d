import assert from 'node:assert/strict'
import test, { beforeEach } from 'node:test'

import { ZeroAddress, ZeroHash } from 'ethers'

import { caseWorld, KIND, PRICE, STATE } from './support/case-world.ts'
import { DAY_SECONDS } from './support/escrow-world.ts'

const world = await caseWorld()
const { as, open, agreementOf, bring, refusal, requester, provider, stranger, shareOf } = world
const start = await world.networkHelpers.takeSnapshot()

beforeEach(() => start.restore())

test('a bond may outlive its channel as long as the limit says, and not a second longer', async () => {
  const most: bigint = await world.read('MAX_BOND_HOLD')
  const longer = await world.openArguments(1n, { hold: most + 1n })
  const refused = await refusal(as(requester, 'createChannel', [...longer]))
  assert.equal(refused, 'ComputeEscrowHoldTooLong')
  await open(1n, { hold: most })
})

test('adding nothing to a deposit or a bond: refused', async () => {
  const channel = await open(1n)
  for (const call of ['topUp', 'addBond', 'sponsor'])
    assert.equal(await refusal(as(requester, call, [channel, 0n])), 'ComputeEscrowZeroAmount', call)
})

test('a bond is released from a closed channel alone, and once', async () => {
  await open(1n, { bond: 0n })
  const release = () => as(stranger, 'releaseBond', [world.partiesOf(1n)])
  assert.equal(await refusal(release()), 'ComputeEscrowWrongStatus')
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, 0n))])
  assert.equal(await refusal(release()), 'ComputeEscrowZeroAmount')
})

test('a case of a channel that was never opened: refused', async () => {
  const job = await agreementOf(1n, 1n)
  assert.equal(await refusal(bring(KIND.nonPayment, 1n, job)), 'ComputeEscrowWrongStatus')
})

test('a kind of case that nobody brings by that call: refused', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  assert.equal(await refusal(bring(KIND.delivered, 1n, job)), 'ComputeEscrowWrongKind')
})

test('a proof that leads elsewhere shows no payment, and what was not shown is not disproved', async () => {
  await open(1n)
  const job = await agreementOf(1n, 2n)
  const paid = [shareOf(job)]
  const [voucher, signature] = await world.voucherOver(1n, paid)
  await as(stranger, 'claim', [world.partiesOf(1n), voucher, signature])
  await bring(KIND.nonPayment, 1n, job)
  const [parties, agreement, , , place] = await world.paidArguments(1n, job, paid, 0)
  const astray = [parties, agreement, voucher, signature, place, [ZeroHash]]
  assert.equal(await refusal(as(stranger, 'provePaid', astray)), 'ComputeEscrowBadJobProof')
  await as(stranger, 'provePaid', [parties, agreement, voucher, signature, place, []])
  const other = { ...voucher, cumulative: PRICE + 1n }
  const disproof = [parties, agreement, other, place, voucher, signature, place, []]
  assert.equal(await refusal(as(provider, 'disprovePaid', disproof)), 'ComputeEscrowNotShown')
})

test('the optimistic verifier: who is contested gets the split at once, and nobody pays it', async () => {
  const verifier = await world.ethers.deployContract('OptimisticVerifier')
  await open(1n)
  const chosen = { verifier: await verifier.getAddress(), onUndecided: 50n }
  const job = await agreementOf(1n, 1n, chosen)
  await bring(KIND.nonPayment, 1n, job)
  await world.contest(requester, 1n, job)
  const split = await world.moved(() => world.resolve(1n, job))
  assert.deepEqual(split, [20n, 195n + 20n, 0n])
  assert.equal(await world.stateOf(job), STATE.undecided)
})

test('an announced change is shown until it is made or dropped', async () => {
  const { owner } = world
  await as(owner, 'scheduleFeePolicy', [100n, stranger.address])
  const [feeBps, treasury, readyAt] = await world.read('scheduledFeePolicy')
  assert.deepEqual([feeBps, treasury], [100n, stranger.address])
  assert.equal(readyAt, (await world.now()) + 7n * DAY_SECONDS)
  await as(owner, 'cancelFeePolicy', [])
  assert.deepEqual([...(await world.read('scheduledFeePolicy'))], [0n, ZeroAddress, 0n])
})
