import assert from 'node:assert/strict'
import test from 'node:test'

import { MaxUint256, Signature, ZeroAddress } from 'ethers'

import { escrowWorld, type EscrowWorld } from './support/escrow-world.ts'

async function approve(world: EscrowWorld, amount: bigint): Promise<void> {
  await world.as(world.owner, 'mint', [world.owner.address, amount], world.token)
  await world.as(world.owner, 'approve', [world.address, amount], world.token)
}

test('a token that takes a fee on transfer is refused by name', async () => {
  const world = await escrowWorld('FeeOnTransferToken')
  await approve(world, 1000n)
  const call = world.as(world.owner, 'deposit', [1000n])
  assert.equal(await world.refusal(call), 'ComputeEscrowTokenDelta')
})

test('a token that returns nothing works', async () => {
  const world = await escrowWorld('NoReturnToken')
  await approve(world, 1000n)
  await world.as(world.owner, 'deposit', [1000n])
  await world.as(world.owner, 'withdraw', [world.stranger.address, 400n])
  assert.equal(await world.free(world.owner), 600n)
  assert.equal(await world.token.getFunction('balanceOf')(world.stranger.address), 400n)
})

test('a token that debits the sender more than told cannot take the money of others', async () => {
  const world = await escrowWorld('SenderPaysToken')
  await approve(world, 1000n)
  await world.as(world.owner, 'deposit', [1000n])
  await world.as(world.owner, 'becomeGreedy', [], world.token)
  const call = world.as(world.owner, 'withdraw', [world.stranger.address, 500n])
  assert.equal(await world.refusal(call), 'ComputeEscrowTokenDelta')
})

for (const inner of ['deposit', 'withdraw'] as const) {
  for (const outer of ['deposit', 'withdraw'] as const) {
    test(`a token that calls ${inner} during ${outer}: the inner call is refused`, async () => {
      const world = await escrowWorld('CallbackToken')
      await approve(world, 3000n)
      await world.as(world.owner, 'deposit', [1000n])
      const token = await world.token.getAddress()
      await world.as(world.owner, 'depositFor', [token, 1000n])
      const args = { deposit: [10n], withdraw: [world.stranger.address, 10n] }
      const payload = world.escrow.interface.encodeFunctionData(inner, args[inner])
      await world.as(world.owner, 'arm', [world.address, payload], world.token)
      await world.as(world.owner, outer, args[outer])
      assert.equal(await world.token.getFunction('succeeded')(), false)
      const answer = await world.token.getFunction('answer')()
      assert.equal(world.escrow.interface.parseError(answer)?.name, 'ReentrancyGuardReentrantCall')
      const held = await world.token.getFunction('balanceOf')(world.address)
      assert.equal(await world.read('liabilities'), held)
    })
  }
}

test('a token that claims a voucher during withdraw: paid once, and all adds up', async () => {
  const world = await escrowWorld('CallbackToken')
  const { requester, provider } = world
  for (const who of [requester, provider]) await world.fund(who.address, 2000n)
  await world.open(1n)
  const claim = await world.voucherArguments(1n, 400n)
  const payload = world.escrow.interface.encodeFunctionData('claim', [...claim])
  await world.as(world.owner, 'arm', [world.address, payload], world.token)
  await world.as(requester, 'withdraw', [requester.address, 1000n])
  assert.equal(await world.token.getFunction('succeeded')(), true)
  assert.equal(await world.free(provider), 1890n)
  assert.equal(
    await world.refusal(world.as(provider, 'claim', [...claim])),
    'ComputeEscrowNothingToClaim',
  )
  const held = await world.token.getFunction('balanceOf')(world.address)
  assert.equal(await world.read('liabilities'), held)
})

test('a deposit and its events: payer, account, amount', async () => {
  const world = await escrowWorld()
  await approve(world, 1000n)
  const receipt = await world.as(world.owner, 'depositFor', [world.stranger.address, 1000n])
  assert.deepEqual(
    world.eventsOf(receipt).map((event) => [event.name, ...event.args]),
    [['Deposited', world.owner.address, world.stranger.address, 1000n]],
  )
  assert.equal(await world.free(world.stranger), 1000n)
})

test('a permit deposits in one transaction, also when somebody used the permit first', async () => {
  const world = await escrowWorld()
  const { requester, token } = world
  await world.as(world.owner, 'mint', [requester.address, 2000n], token)
  const types = {
    Permit: ['owner', 'spender', 'value', 'nonce', 'deadline'].map((name, index) => ({
      name,
      type: index < 2 ? 'address' : 'uint256',
    })),
  }
  const permit = async (nonce: bigint) => {
    const value = { spender: world.address, value: 1000n, nonce, deadline: MaxUint256 }
    const domain = {
      name: 'ComputeHive Test Token',
      version: '1',
      chainId: world.domain.chainId,
      verifyingContract: await token.getAddress(),
    }
    const signed = await requester.signTypedData(domain, types, {
      owner: requester.address,
      ...value,
    })
    return Signature.from(signed)
  }
  const before = await world.free(requester)
  for (const nonce of [0n, 1n]) {
    const { v, r, s } = await permit(nonce)
    if (nonce === 1n) {
      const front = [requester.address, world.address, 1000n, MaxUint256, v, r, s]
      await world.as(world.stranger, 'permit', front, token)
    }
    await world.as(requester, 'depositWithPermit', [1000n, MaxUint256, v, r, s])
  }
  assert.equal(await world.free(requester), before + 2000n)

  const { v, r, s } = await permit(9n)
  const wrong = world.as(requester, 'depositWithPermit', [1000n, MaxUint256, v, r, s])
  assert.equal(await world.refusal(wrong), 'ERC20InsufficientAllowance')
})

test('nothing, nobody, or the escrow itself as the receiver: refused', async () => {
  const world = await escrowWorld()
  const { requester, refusal, as } = world
  for (const nowhere of [ZeroAddress, world.address]) {
    const out = as(requester, 'withdraw', [nowhere, 1n])
    assert.equal(await refusal(out), 'ComputeEscrowInvalidAddress')
    const into = as(requester, 'depositFor', [nowhere, 1n])
    assert.equal(await refusal(into), 'ComputeEscrowInvalidAddress')
  }
  for (const [name, args] of [
    ['deposit', [0n]],
    ['withdraw', [requester.address, 0n]],
  ] as const) {
    assert.equal(await refusal(as(requester, name, [...args])), 'ComputeEscrowZeroAmount')
  }
})

test('a withdrawal above the free balance: refused, and the whole balance: paid', async () => {
  const world = await escrowWorld()
  const { requester } = world
  const all = await world.free(requester)
  const tooMuch = world.as(requester, 'withdraw', [requester.address, all + 1n])
  assert.equal(await world.refusal(tooMuch), 'ComputeEscrowInsufficientFree')
  await world.as(requester, 'withdraw', [requester.address, all])
  assert.equal(await world.free(requester), 0n)
})
