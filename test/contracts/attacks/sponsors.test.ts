import assert from 'node:assert/strict'
import test, { beforeEach } from 'node:test'

import { caseWorld, KIND, PRICE } from '../support/case-world.ts'

const world = await caseWorld()
const { as, read, refusal, requester, provider, stranger, owner } = world
for (const who of [stranger, owner]) await world.fund(who.address, 10_000n)
const start = await world.networkHelpers.takeSnapshot()

beforeEach(() => start.restore())

/** A channel with 300 by the requester, 500 by one sponsor, 200 by another, of which 400 are paid. */
async function sponsored(): Promise<void> {
  const channel = await world.open(1n, { deposit: 300n })
  await as(stranger, 'sponsor', [channel, 500n])
  await as(owner, 'sponsor', [channel, 200n])
  await as(stranger, 'claim', [...(await world.voucherArguments(1n, PRICE))])
}

const close = async () =>
  as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, PRICE))])
const refund = (payer: { address: string }) =>
  as(provider, 'refund', [world.partiesOf(1n), payer.address])

test('sponsor and requester mixed up: each has its own part of what is left, to the last unit', async () => {
  await sponsored()
  assert.deepEqual((await world.moved(close))[0], 0n)
  const before = [await world.free(requester), await world.free(stranger), await world.free(owner)]
  for (const payer of [stranger, requester, owner]) await refund(payer)
  const after = [await world.free(requester), await world.free(stranger), await world.free(owner)]
  assert.deepEqual(
    after.map((free, index) => free - (before[index] ?? 0n)),
    [180n, 300n, 120n],
  )
})

test('refunds: in any order nobody gains or loses more than a unit, and nothing is left', async () => {
  const orders = [
    [requester, stranger, owner],
    [owner, stranger, requester],
    [stranger, owner, requester],
  ]
  for (const order of orders) {
    await start.restore()
    const channel = await world.open(1n, { deposit: 333n })
    await as(stranger, 'sponsor', [channel, 333n])
    await as(owner, 'sponsor', [channel, 334n])
    await close()
    let total = 0n
    for (const payer of order) {
      const before = await world.free(payer)
      await refund(payer)
      const got = (await world.free(payer)) - before
      assert.ok(got >= 199n && got <= 201n, `${got}`)
      total += got
    }
    assert.equal(total, 600n)
    const { deposit, settled } = await read('channel', channel)
    assert.equal(deposit, settled)
  }
})

test('refunds: none before the close, none while a case is open, none twice, none to others', async () => {
  await sponsored()
  assert.equal(await refusal(refund(stranger)), 'ComputeEscrowWrongStatus')
  const job = await world.agreementOf(1n, 2n)
  await world.bring(KIND.nonPayment, 1n, job)
  await close()
  assert.equal(await refusal(refund(stranger)), 'ComputeEscrowCasesOpen')
  await world.letExpire(job)
  await world.timeout(1n, job)
  await refund(stranger)
  for (const payer of [stranger, provider])
    assert.equal(await refusal(refund(payer)), 'ComputeEscrowNothingToRefund')
  const before = await world.free(requester)
  await refund(requester)
  assert.equal((await world.free(requester)) - before, 60n)
})

test('refunds: what a top-up added is the requester’s, and a requester that sponsors itself has both', async () => {
  const channel = await world.open(1n, { deposit: 200n })
  await as(owner, 'topUp', [channel, 100n])
  await as(requester, 'sponsor', [channel, 100n])
  await as(stranger, 'sponsor', [channel, 400n])
  await close()
  const before = await world.free(requester)
  await refund(requester)
  assert.equal((await world.free(requester)) - before, 200n)
  await refund(stranger)
  assert.equal((await read('channel', channel)).deposit, PRICE)
  assert.equal(await refusal(refund(owner)), 'ComputeEscrowNothingToRefund')
})

test('refunds: zero is no error when everything was paid, and sponsoring is new exposure', async () => {
  const channel = await world.open(1n, { deposit: 300n })
  await as(stranger, 'sponsor', [channel, 100n])
  await close()
  for (const payer of [stranger, requester]) await refund(payer)
  assert.equal(await refusal(as(stranger, 'sponsor', [channel, 1n])), 'ComputeEscrowWrongStatus')
  const open = await world.open(2n)
  assert.equal(await refusal(as(stranger, 'sponsor', [open, 0n])), 'ComputeEscrowZeroAmount')
  await as(owner, 'pause', [])
  assert.equal(await refusal(as(stranger, 'sponsor', [open, 1n])), 'EnforcedPause')
})
