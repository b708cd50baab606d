import assert from 'node:assert/strict'
import test, { describe } from 'node:test'

import { Wallet, ZeroAddress, ZeroHash } from 'ethers'

import { caseWorld, KIND, PRICE } from '../support/case-world.ts'
import { DAY_SECONDS, escrowWorld, NATIVE } from '../support/escrow-world.ts'

const BEHAVIOUR = { agree: 0, revert: 1, burnGas: 2, returnMegabytes: 3, reenter: 4 } as const

test('blacklist: harms the one who is on it, and not even that one with another receiver', async () => {
  const world = await escrowWorld('BlacklistToken')
  const { requester, provider, stranger, as, token } = world
  for (const who of [requester, provider]) await world.fund(who.address, 2000n)
  await as(world.owner, 'ban', [provider.address], token)
  await world.open(1n)
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, PRICE))])
  const refused = as(provider, 'withdraw', [provider.address, 390n])
  assert.equal(await world.refusal(refused), 'BlacklistTokenBanned')
  await as(requester, 'withdraw', [requester.address, await world.free(requester)])
  await as(provider, 'withdraw', [stranger.address, 2390n])
  assert.equal(await token.getFunction('balanceOf')(stranger.address), 2390n)
  assert.equal(await world.read('liabilities'), 10n)
})

test('lying token: one that moves nothing and says true is refused by name', async () => {
  const world = await escrowWorld('LyingToken')
  const call = world.as(world.owner, 'deposit', [1000n])
  assert.equal(await world.refusal(call), 'ComputeEscrowTokenDelta')
  await world.as(world.owner, 'say', [false], world.token)
  const failed = world.as(world.owner, 'deposit', [1000n])
  assert.equal(await world.refusal(failed), 'SafeERC20FailedOperation')
  assert.equal(await world.read('liabilities'), 0n)
})

describe('hostile wallet', async () => {
  const world = await escrowWorld()
  const { as, requester } = world
  const wallet = await world.ethers.deployContract('HostileWallet')
  const provider = await wallet.getAddress()
  await world.fund(provider, 5000n)
  const start = await world.networkHelpers.takeSnapshot()
  const signedBy = Wallet.createRandom() as unknown as Wallet

  for (const name of ['revert', 'burnGas', 'reenter'] as const) {
    test(`hostile wallet: ${name} when asked for its signature: no channel opens, nothing moves`, async () => {
      await start.restore()
      const payload = world.escrow.interface.encodeFunctionData('withdraw', [requester.address, 1n])
      await as(world.owner, 'set', [BEHAVIOUR[name], payload], wallet)
      const terms = [...(await world.openArguments(1n, { provider, signedBy }))]
      const before = await world.free(requester)
      const opening = as(requester, 'createChannel', [...terms, { gasLimit: 3_000_000n }])
      assert.equal(await world.refusal(opening), 'ComputeEscrowBadBondSignature')
      assert.equal(await world.free(requester), before)
      assert.equal(await world.free({ address: provider }), 5000n)
    })
  }

  test('hostile wallet: one that agrees to everything, at any length, risks its own money alone', async () => {
    await start.restore()
    await as(world.owner, 'set', [BEHAVIOUR.returnMegabytes, '0x'], wallet)
    await world.open(1n, { provider, signedBy })
    assert.equal(await world.free({ address: provider }), 4500n)
    assert.equal(await world.read('liabilities'), await world.held())
  })

  test('hostile wallet: one that changes its mind after opening cannot keep its vouchers from being paid', async () => {
    await start.restore()
    await as(world.owner, 'set', [BEHAVIOUR.agree, '0x'], wallet)
    const channel = await world.open(1n, { provider, signedBy })
    await as(world.owner, 'set', [BEHAVIOUR.revert, '0x'], wallet)
    const parties = { ...world.partiesOf(1n), provider }
    const voucher = { channel, cumulative: PRICE, jobs: 1n, jobsRoot: ZeroHash }
    const signature = await world.sign(world.requesterSigner, 'Voucher', voucher)
    await as(world.stranger, 'claim', [parties, voucher, signature])
    await as(requester, 'startClose', [parties])
    await world.networkHelpers.time.increase(DAY_SECONDS + 1n)
    await as(world.stranger, 'close', [parties])
    assert.equal(await world.free({ address: provider }), 4500n + 390n + 500n)
  })
})

describe('chain’s own coin', async () => {
  const world = await caseWorld(NATIVE)
  const { as, requester, provider, stranger, refusal } = world
  const start = await world.networkHelpers.takeSnapshot()

  test('chain’s own coin: a deposit is the value that came with it, no more and no less', async () => {
    await start.restore()
    for (const value of [0n, 99n, 101n]) {
      const wrong = as(stranger, 'deposit', [100n, { value }])
      assert.equal(await refusal(wrong), 'ComputeEscrowTokenDelta')
    }
    await as(stranger, 'deposit', [100n, { value: 100n }])
    assert.equal(await world.free(stranger), 100n)
    assert.equal(await world.read('token'), ZeroAddress)
    assert.equal(await world.read('liabilities'), await world.held())
    await assert.rejects(stranger.sendTransaction({ to: world.address, value: 1n }))
  })

  test('chain’s own coin: value sent to an escrow of a token is refused', async () => {
    const other = await escrowWorld()
    const call = other.as(other.owner, 'deposit', [100n, { value: 100n }])
    assert.equal(await other.refusal(call), 'ComputeEscrowTokenDelta')
  })

  test('chain’s own coin: a receiver that refuses it harms nobody, another receiver is paid', async () => {
    await start.restore()
    const wallet = await world.ethers.deployContract('HostileWallet')
    const address = await wallet.getAddress()
    await as(world.owner, 'set', [BEHAVIOUR.agree, '0x00'], wallet)
    const before = await world.free(requester)
    const refused = refusal(as(requester, 'withdraw', [address, 100n]))
    assert.notEqual(await refused, '')
    assert.equal(await world.free(requester), before)
    const to = Wallet.createRandom().address
    await as(requester, 'withdraw', [to, 100n])
    assert.equal(await world.ethers.provider.getBalance(to), 100n)
    assert.equal(await world.free(requester), before - 100n)
  })

  test('reentrancy: a receiver that withdraws again while it is paid gets its money once', async () => {
    await start.restore()
    const wallet = await world.ethers.deployContract('HostileWallet')
    const address = await wallet.getAddress()
    await as(world.owner, 'depositFor', [address, 500n, { value: 500n }])
    const again = world.escrow.interface.encodeFunctionData('withdraw', [address, 100n])
    await as(world.owner, 'set', [BEHAVIOUR.agree, again], wallet)
    await as(stranger, 'act', [world.address, again], wallet)
    assert.equal(await wallet.getFunction('succeeded')(), false)
    const answer = await wallet.getFunction('answer')()
    assert.equal(world.escrow.interface.parseError(answer)?.name, 'ReentrancyGuardReentrantCall')
    assert.equal(await world.ethers.provider.getBalance(address), 100n)
    assert.equal(await world.free({ address }), 400n)
    assert.equal(await world.read('liabilities'), await world.held())
  })

  test('chain’s own coin: a channel’s whole life, a case in it, and everybody out to the last unit', async () => {
    await start.restore()
    await world.open(1n)
    await as(stranger, 'claim', [...(await world.voucherArguments(1n, 100n))])
    const job = await world.agreementOf(1n, 1n)
    await world.bring(KIND.nonPayment, 1n, job)
    await world.letExpire(job)
    await world.timeout(1n, job)
    await as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, 500n))])
    assert.equal((await world.read('channel', job.channel)).settled, 500n)
    await as(stranger, 'collectFees', [[provider.address]])
    for (const who of [requester, provider, world.treasury])
      await as(who, 'withdraw', [stranger.address, await world.free(who)])
    assert.equal(await world.read('liabilities'), 0n)
    assert.equal(await world.held(), 0n)
  })
})

test('under-funded claim: pays what is there, and the rest of the same voucher after a top-up', async () => {
  const world = await escrowWorld()
  const { as, stranger, provider } = world
  const channel = await world.open(1n, { deposit: 300n })
  const claim = [...(await world.voucherArguments(1n, PRICE))]
  await as(stranger, 'claim', claim)
  assert.equal(await world.refusal(as(stranger, 'claim', claim)), 'ComputeEscrowNothingToClaim')
  await as(world.requester, 'topUp', [channel, 100n])
  const before = await world.free(provider)
  await as(stranger, 'claim', claim)
  assert.equal((await world.read('channel', channel)).settled, PRICE)
  assert.equal(await world.free(provider), before + 98n)
})

test('fee taken twice: however a total is claimed, the fee is that on the total, and the escrow stays solvent', async () => {
  const world = await escrowWorld()
  const { as, stranger, provider, treasury } = world
  await world.open(1n)
  for (const total of [1n, 2n, 39n, 40n, 41n, 399n, 400n])
    await as(stranger, 'claim', [...(await world.voucherArguments(1n, total))])
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(1n, PRICE))])
  for (let twice = 0; twice < 2; twice += 1)
    await as(stranger, 'collectFees', [[provider.address, provider.address]])
  assert.equal(await world.free(treasury), 10n)
  for (const who of [world.requester, provider, treasury])
    await as(who, 'withdraw', [stranger.address, await world.free(who)])
  assert.equal(await world.read('liabilities'), 0n)
  assert.equal(await world.held(), 0n)
})

test('self-metered result: a receipt that asks for more than was agreed has no more than the price', async () => {
  const world = await caseWorld()
  await world.open(1n)
  const job = await world.agreementOf(1n, 1n)
  const greedy = world.receiptOf(job, { amount: 10n ** 9n, completed: 10n ** 6n })
  await world.bring(KIND.nonPayment, 1n, job, greedy)
  assert.equal((await world.caseOf(job)).amount, PRICE)
  await world.letExpire(job)
  await world.timeout(1n, job)
  assert.equal((await world.read('channel', job.channel)).settled, PRICE)
})

test('double-committed deposit: what one channel has, no other claim can draw on', async () => {
  const world = await escrowWorld()
  const { as, stranger } = world
  const channel = await world.open(1n, { deposit: 300n })
  await world.open(2n, { deposit: 300n })
  await as(stranger, 'claim', [...(await world.voucherArguments(2n, 10_000n))])
  const { deposit, settled } = await world.read('channel', channel)
  assert.deepEqual([deposit, settled], [300n, 0n])
})
