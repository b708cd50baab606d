import assert from 'node:assert/strict'
import test, { beforeEach } from 'node:test'

import hre from 'hardhat'
import { Interface } from 'ethers'

import { caseWorld, KIND, PRICE, STATE } from '../support/case-world.ts'
import { DAY_SECONDS, FEE_BPS, typesOf } from '../support/escrow-world.ts'

/** Selector of `eip712Domain()`, which the base of both brings. */
const EIP712_DOMAIN = '0x84b0196e'

const world = await caseWorld()
const { as, read, open, refusal, requester, provider, stranger, owner, treasury } = world
const start = await world.networkHelpers.takeSnapshot()

beforeEach(() => start.restore())

test('voucher replay: a voucher is good for one chain, one escrow, one channel and one rise of its total', async () => {
  await open(1n)
  await open(2n)
  const [parties, voucher, signature] = await world.voucherArguments(1n, PRICE)
  for (const change of [{ chainId: 1n }, { verifyingContract: stranger.address }]) {
    const domain = { ...world.domain, ...change }
    const types = typesOf('Voucher')
    const foreign = await world.requesterSigner.signTypedData(domain, types, voucher)
    const call = as(stranger, 'claim', [parties, voucher, foreign])
    assert.equal(await refusal(call), 'ComputeEscrowBadSigner')
  }
  const elsewhere = as(stranger, 'claim', [world.partiesOf(2n), voucher, signature])
  assert.equal(await refusal(elsewhere), 'ComputeEscrowWrongParties')
  await as(stranger, 'claim', [parties, voucher, signature])
  const again = as(stranger, 'claim', [parties, voucher, signature])
  assert.equal(await refusal(again), 'ComputeEscrowNothingToClaim')
})

test('voucher replay: a closed channel is never opened again, so its vouchers stay worthless', async () => {
  await open(1n)
  const voucher = [...(await world.voucherArguments(1n, PRICE))]
  await as(provider, 'claimAndClose', voucher)
  assert.equal(await refusal(open(1n)), 'ComputeEscrowChannelExists')
  assert.equal(await refusal(as(stranger, 'claim', voucher)), 'ComputeEscrowWrongStatus')
})

test('receipt replay: one receipt brings one case, and a receipt is good for its own agreement', async () => {
  await open(1n)
  const [job, other] = [await world.agreementOf(1n, 1n), await world.agreementOf(1n, 2n)]
  await world.bring(KIND.nonPayment, 1n, job)
  await world.concede(requester, 1n, job)
  const again = world.bring(KIND.nonPayment, 1n, job)
  assert.equal(await refusal(again), 'ComputeEscrowWrongCaseState')
  const borrowed = world.bring(KIND.nonPayment, 1n, other, world.receiptOf(job))
  assert.equal(await refusal(borrowed), 'ComputeEscrowWrongReceipt')
})

test('result front-running: whoever submits a voucher or ends a case, its provider is paid', async () => {
  await open(1n)
  const before = await world.free(stranger)
  const claim = [...(await world.voucherArguments(1n, PRICE))]
  assert.deepEqual(await world.moved(() => as(stranger, 'claim', claim)), [0n, 390n, 0n])
  const job = await world.agreementOf(1n, 2n)
  await world.bring(KIND.nonPayment, 1n, job)
  await world.letExpire(job)
  assert.deepEqual(await world.moved(() => world.timeout(1n, job)), [0n, 390n + 20n, 0n])
  assert.equal(await world.free(stranger), before)
})

test('free option: a bond offer is good until its expiry, that second included', async () => {
  const expiry = (await world.now()) + 100n
  const args = [...(await world.openArguments(1n, { expiry }))]
  const before = await world.networkHelpers.takeSnapshot()
  await world.networkHelpers.time.setNextBlockTimestamp(expiry)
  await as(requester, 'createChannel', args)
  await before.restore()
  await world.networkHelpers.time.increaseTo(expiry)
  assert.equal(await refusal(as(requester, 'createChannel', args)), 'ComputeEscrowExpired')
})

test('third party timers: no stranger starts a notice, and no payment into a channel moves one', async () => {
  const channel = await open(1n)
  await world.fund(stranger.address, 100n)
  const notice = as(stranger, 'startClose', [world.partiesOf(1n)])
  assert.equal(await refusal(notice), 'ComputeEscrowNotAllowed')
  await as(requester, 'startClose', [world.partiesOf(1n)])
  const { closeAt } = await read('channel', channel)
  for (const call of ['topUp', 'addBond', 'sponsor']) await as(stranger, call, [channel, 1n])
  assert.equal((await read('channel', channel)).closeAt, closeAt)
  const again = as(requester, 'startClose', [world.partiesOf(1n)])
  assert.equal(await refusal(again), 'ComputeEscrowWrongStatus')
})

test('watcher offline: anyone who holds the voucher claims it during a notice, for the provider', async () => {
  await open(1n)
  await as(requester, 'startClose', [world.partiesOf(1n)])
  await world.networkHelpers.time.increase(DAY_SECONDS + 1n)
  const claim = [...(await world.voucherArguments(1n, PRICE))]
  assert.deepEqual(await world.moved(() => as(stranger, 'claim', claim)), [0n, 390n, 0n])
})

test('boundary overlap: in each second of a case’s deadline either its answer or its end is possible, never both', async () => {
  await open(1n)
  const job = await world.agreementOf(1n, 1n)
  await world.bring(KIND.nonPayment, 1n, job)
  const { deadline } = await world.caseOf(job)
  const before = await world.networkHelpers.takeSnapshot()
  for (const at of [deadline - 1n, deadline]) {
    await before.restore()
    await world.networkHelpers.time.setNextBlockTimestamp(at)
    await world.contest(requester, 1n, job)
    await before.restore()
    await world.networkHelpers.time.increaseTo(at - 1n)
    assert.equal(await refusal(world.timeout(1n, job)), 'ComputeEscrowTooEarly')
  }
  await before.restore()
  await world.networkHelpers.time.increaseTo(deadline)
  const late = await world.caseArguments(KIND.nonPayment, 1n, job)
  const contest = as(requester, 'contest', [late[1], job, late[5], late[6]])
  assert.equal(await refusal(contest), 'ComputeEscrowExpired')
  await world.timeout(1n, job)
})

test('stuck funds: strangers end every state, and all money comes out', async () => {
  await open(1n)
  const jobs = []
  for (const seq of [1n, 2n]) jobs.push(await world.agreementOf(1n, seq))
  const [silent, fought] = jobs
  assert.ok(silent && fought)
  await world.bring(KIND.nonPayment, 1n, silent)
  await world.bring(KIND.wrongResult, 1n, fought)
  await world.contest(provider, 1n, fought)
  await as(requester, 'startClose', [world.partiesOf(1n)])
  await world.letExpire(silent)
  await as(stranger, 'timeoutCase', [world.partiesOf(1n), silent])
  await world.resolve(1n, fought)
  await world.networkHelpers.time.increase(DAY_SECONDS)
  await as(stranger, 'close', [world.partiesOf(1n)])
  await as(stranger, 'collectFees', [[provider.address]])
  assert.equal(await world.stateOf(fought), STATE.undecided)
  for (const who of [requester, provider, treasury])
    await as(who, 'withdraw', [stranger.address, await world.free(who)])
  assert.equal(await read('liabilities'), 0n)
})

test('owner rug: of all the owner’s calls none moves a balance, also while an own fee comes', async () => {
  await open(1n)
  const before = await world.moved(async () => {
    await as(owner, 'pause', [])
    await as(owner, 'scheduleFeePolicy', [500n, owner.address])
    await world.networkHelpers.time.increase(7n * DAY_SECONDS)
    await as(owner, 'applyFeePolicy', [])
    await as(owner, 'transferOwnership', [stranger.address])
  })
  assert.deepEqual(before, [0n, 0n, 0n])
  const claim = [...(await world.voucherArguments(1n, PRICE))]
  assert.deepEqual(await world.moved(() => as(stranger, 'claim', claim)), [0n, 390n, 0n])
})

test('config under an open case: a new fee changes neither its channel nor what the case pays', async () => {
  await open(1n)
  const job = await world.agreementOf(1n, 1n)
  await world.bring(KIND.nonPayment, 1n, job)
  await as(owner, 'scheduleFeePolicy', [500n, treasury.address])
  await world.networkHelpers.time.increase(7n * DAY_SECONDS)
  await as(owner, 'applyFeePolicy', [])
  assert.equal((await read('channel', job.channel)).feeBps, FEE_BPS)
  assert.deepEqual(await world.moved(() => world.timeout(1n, job)), [0n, 390n + 20n, 0n])
})

test('paused: a case is opened, answered and ended all the same', async () => {
  await open(1n)
  const [first, second] = [await world.agreementOf(1n, 1n), await world.agreementOf(1n, 2n)]
  await as(owner, 'pause', [])
  await world.bring(KIND.nonPayment, 1n, first)
  await world.bring(KIND.wrongResult, 1n, second)
  await world.contest(requester, 1n, first)
  await world.resolve(1n, first)
  await world.letExpire(second)
  await world.timeout(1n, second)
  assert.equal(await world.stateOf(first), STATE.undecided)
  assert.equal(await world.stateOf(second), STATE.providerWrong)
})

test('interface drift: the code of cases and the escrow have every call of their interfaces, in ABI and in bytecode', async () => {
  const read = (name: string) => hre.artifacts.readArtifact(name)
  const callsOf = (abi: readonly unknown[]) => {
    const calls: string[] = []
    new Interface(abi as never).forEachFunction((call) => calls.push(call.selector))
    return calls.toSorted()
  }
  const [actions, code, promised, escrow] = await Promise.all(
    ['ICaseActions', 'EscrowCases', 'IComputeEscrow', 'ComputeEscrow'].map(read),
  )
  assert.ok(actions && code && promised && escrow)
  const own = callsOf(code.abi).filter((selector) => selector !== EIP712_DOMAIN)
  assert.deepEqual(own, callsOf(actions.abi))
  for (const selector of callsOf(actions.abi))
    assert.ok(code.deployedBytecode.includes(selector.slice(2)), selector)
  for (const selector of callsOf(promised.abi)) {
    // The compiler writes a selector without its leading zeroes.
    const written = selector.slice(2).replace(/^(00)+/, '')
    assert.ok(escrow.deployedBytecode.includes(written), selector)
  }
})
