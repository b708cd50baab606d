import assert from 'node:assert/strict'
import test from 'node:test'

import { ZeroAddress } from 'ethers'

import { DAY_SECONDS, escrowWorld, FEE_BPS } from './support/escrow-world.ts'

test('pause stops deposits, open, topUp and addBond', async () => {
  const world = await escrowWorld()
  const { requester, provider, owner, as, refusal } = world
  const channel = await world.open(1n)
  await as(owner, 'pause', [])
  const zero = '0x'.padEnd(66, '0')
  const stopped: [{ address: string }, string, unknown[]][] = [
    [requester, 'deposit', [1n]],
    [requester, 'depositFor', [provider.address, 1n]],
    [requester, 'depositWithPermit', [1n, 0n, 27, zero, zero]],
    [requester, 'createChannel', [...(await world.openArguments(2n))]],
    [requester, 'topUp', [channel, 1n]],
    [provider, 'addBond', [channel, 1n]],
  ]
  for (const [who, name, args] of stopped) {
    assert.equal(await refusal(as(who, name, args)), 'EnforcedPause', name)
  }
})

test('while paused everybody gets out: claim, close, mutual close, fees, withdraw', async () => {
  const world = await escrowWorld()
  const { requester, provider, owner, stranger, as } = world
  for (const counter of [1n, 2n, 3n, 4n]) await world.open(counter)
  await as(owner, 'pause', [])
  await as(stranger, 'claim', [...(await world.voucherArguments(1n, 100n))])
  await as(stranger, 'claimMany', [...(await world.batchArguments(1n, 200n))])
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(2n, 100n))])
  await as(stranger, 'closeMutual', [...(await world.mutualArguments(3n, 100n))])
  await as(requester, 'startClose', [world.partiesOf(4n)])
  await world.networkHelpers.time.increase(DAY_SECONDS + 1n)
  await as(stranger, 'close', [world.partiesOf(4n)])
  await as(stranger, 'collectFees', [[provider.address]])
  await as(requester, 'withdraw', [requester.address, await world.free(requester)])
})

test('fees are gathered beside the provider and credited to the treasury by anyone, once', async () => {
  const world = await escrowWorld()
  const { provider, treasury, stranger, as, read } = world
  await world.open(1n)
  await as(stranger, 'claim', [...(await world.voucherArguments(1n, 400n))])
  assert.equal(await read('uncollectedFees', provider.address), 10n)
  await as(stranger, 'collectFees', [[provider.address, provider.address, stranger.address]])
  assert.equal(await world.free(treasury), 10n)
  assert.equal(await read('uncollectedFees', provider.address), 0n)
  assert.equal((await read('account', provider.address)).feesPaid, 10n)
})

test('a new fee binds channels opened after it, and no channel opened before', async () => {
  const world = await escrowWorld()
  const { owner, stranger, treasury, as, read } = world
  const before = await world.open(1n)
  await as(owner, 'scheduleFeePolicy', [500n, treasury.address])
  assert.equal(await read('feeBps'), FEE_BPS)
  await world.networkHelpers.time.increase(7n * DAY_SECONDS + 1n)
  await as(stranger, 'applyFeePolicy', [])
  const after = await world.open(2n)
  assert.equal((await read('channel', before)).feeBps, FEE_BPS)
  assert.equal((await read('channel', after)).feeBps, 500n)
  const claimed = world.eventsOf(
    await as(stranger, 'claim', [...(await world.voucherArguments(1n, 400n))]),
  )
  assert.equal(claimed[0]?.args['fee'], 10n)
})

test('a fee above the cap, or no treasury: refused, also at deployment', async () => {
  const world = await escrowWorld()
  const { owner, treasury, as, refusal, ethers } = world
  const high = as(owner, 'scheduleFeePolicy', [501n, treasury.address])
  assert.equal(await refusal(high), 'ComputeEscrowFeeTooHigh')
  const nobody = as(owner, 'scheduleFeePolicy', [1n, ZeroAddress])
  assert.equal(await refusal(nobody), 'ComputeEscrowInvalidAddress')
  const token = await world.token.getAddress()
  const deploy = (...args: unknown[]) => refusal(ethers.deployContract('ComputeEscrow', args))
  assert.equal(await deploy(token, owner.address, treasury.address, 501), 'ComputeEscrowFeeTooHigh')
  assert.equal(
    await deploy(treasury.address, owner.address, treasury.address, 1),
    'ComputeEscrowNoToken',
  )
})

test('an announced change can be dropped, and is not applied twice', async () => {
  const world = await escrowWorld()
  const { owner, stranger, treasury, as, refusal } = world
  const none = 'ComputeEscrowNoFeePolicyScheduled'
  assert.equal(await refusal(as(stranger, 'applyFeePolicy', [])), none)
  assert.equal(await refusal(as(owner, 'cancelFeePolicy', [])), none)
  await as(owner, 'scheduleFeePolicy', [1n, treasury.address])
  await as(owner, 'cancelFeePolicy', [])
  await world.networkHelpers.time.increase(8n * DAY_SECONDS)
  assert.equal(await refusal(as(stranger, 'applyFeePolicy', [])), none)
  await as(owner, 'scheduleFeePolicy', [1n, treasury.address])
  await world.networkHelpers.time.increase(8n * DAY_SECONDS)
  await as(stranger, 'applyFeePolicy', [])
  assert.equal(await refusal(as(stranger, 'applyFeePolicy', [])), none)
})

test('only the owner pauses and announces, and its powers end there', async () => {
  const world = await escrowWorld()
  const { owner, requester, stranger, treasury, as, refusal } = world
  const owners: [string, unknown[]][] = [
    ['pause', []],
    ['unpause', []],
    ['scheduleFeePolicy', [1n, treasury.address]],
    ['cancelFeePolicy', []],
    ['transferOwnership', [stranger.address]],
  ]
  for (const [name, args] of owners) {
    assert.equal(await refusal(as(stranger, name, args)), 'OwnableUnauthorizedAccount', name)
  }
  const before = await world.free(requester)
  const theft = as(owner, 'withdraw', [owner.address, 1n])
  assert.equal(await refusal(theft), 'ComputeEscrowInsufficientFree')
  assert.equal(await world.free(requester), before)
})

test('a new owner has to accept', async () => {
  const world = await escrowWorld()
  const { owner, stranger, as, read } = world
  await as(owner, 'transferOwnership', [stranger.address])
  assert.equal(await read('owner'), owner.address)
  await as(stranger, 'acceptOwnership', [])
  assert.equal(await read('owner'), stranger.address)
})
