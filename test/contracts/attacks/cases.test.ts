import assert from 'node:assert/strict'
import test, { beforeEach } from 'node:test'

import { ZeroHash } from 'ethers'

import { CASE_BOND, caseWorld, KIND, PRICE, STAKE, STATE } from '../support/case-world.ts'
import { DAY_SECONDS } from '../support/escrow-world.ts'

const world = await caseWorld()
const { as, open, bring, agreementOf, refusal, moved, receiptOf } = world
const { stranger, provider, requester, providerSigner } = world
const start = await world.networkHelpers.takeSnapshot()

beforeEach(() => start.restore())

/** Compensation at most half of the stake and at most the price; the treasury has the rest. */
const HALF = STAKE / 2n

test('refused payment: a requester that is silent pays, and has a fault', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  await world.letExpire(job)
  assert.deepEqual(await moved(() => world.timeout(1n, job)), [0n, 390n + CASE_BOND, 0n])
  assert.equal(await world.faultsOf(requester), 1n)
  assert.equal(await world.stateOf(job), STATE.providerRight)
})

test('refused payment: closing the channel takes nothing from an open case', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await as(requester, 'startClose', [world.partiesOf(1n)])
  await bring(KIND.nonPayment, 1n, job)
  const { closeAt } = await world.read('channel', job.channel)
  await world.networkHelpers.time.increaseTo(closeAt)
  assert.deepEqual(await moved(() => as(requester, 'close', [world.partiesOf(1n)])), [
    1000n - PRICE,
    500n - STAKE,
    0n,
  ])
  await world.letExpire(job)
  assert.deepEqual(await moved(() => world.timeout(1n, job)), [0n, 390n + CASE_BOND, 0n])
  assert.deepEqual(await moved(() => as(stranger, 'releaseBond', [world.partiesOf(1n)])), [
    0n,
    STAKE,
    0n,
  ])
})

test('no show: a provider that is silent loses its stake, the price stays', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  assert.equal(await refusal(bring(KIND.noShow, 1n, job)), 'ComputeEscrowTooEarly')
  await world.networkHelpers.time.increaseTo(job.finishBy)
  await bring(KIND.noShow, 1n, job)
  await world.letExpire(job)
  assert.deepEqual(await moved(() => world.timeout(1n, job)), [HALF + CASE_BOND, 0n, STAKE - HALF])
  const { settled, bond } = await world.read('channel', job.channel)
  assert.deepEqual([settled, bond], [0n, 500n - STAKE])
  assert.equal(await world.faultsOf(provider), 1n)
})

test('no show: contesting it without a receipt is no answer', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await world.networkHelpers.time.increaseTo(job.finishBy)
  await bring(KIND.noShow, 1n, job)
  assert.equal(await refusal(world.contest(provider, 1n, job)), 'ComputeEscrowWrongKind')
})

test('backdated receipt: its own date counts for nothing, the accuser has its bond back', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await world.networkHelpers.time.increaseTo(job.finishBy)
  await bring(KIND.noShow, 1n, job)
  const backdated = receiptOf(job, { finishedAt: job.finishBy - 3600n })
  const shown = await moved(() => world.showReceipt(1n, job, backdated))
  assert.deepEqual(shown, [CASE_BOND, -CASE_BOND, 0n])
  assert.equal((await world.caseOf(job)).kind, KIND.delivered)
})

test('backdated receipt: an anchor made after the deadline proves nothing', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  const root = world.receiptId(receiptOf(job))
  await world.networkHelpers.time.increaseTo(job.finishBy)
  await as(providerSigner, 'anchor', [root])
  await bring(KIND.noShow, 1n, job)
  const shown = await moved(() => world.showReceipt(1n, job, receiptOf(job), root))
  assert.deepEqual(shown, [CASE_BOND, -CASE_BOND, 0n])
})

test('backdated receipt: an anchor by the deadline proves it, also in its last second, and the accuser pays', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  const root = world.receiptId(receiptOf(job))
  await world.networkHelpers.time.setNextBlockTimestamp(job.finishBy)
  await as(providerSigner, 'anchor', [root])
  await bring(KIND.noShow, 1n, job)
  const shown = await moved(() => world.showReceipt(1n, job, receiptOf(job), root))
  assert.deepEqual(shown, [0n, 0n, 0n])
  await world.letExpire(job)
  assert.deepEqual(await moved(() => world.timeout(1n, job)), [0n, 390n + CASE_BOND, 0n])
})

test('backdated receipt: the anchor of another key proves nothing, and anchoring again keeps the first time', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  const root = world.receiptId(receiptOf(job))
  await as(stranger, 'anchor', [root])
  const first = await world.read('anchoredAt', stranger.address, root)
  await as(stranger, 'anchor', [root])
  assert.equal(await world.read('anchoredAt', stranger.address, root), first)
  assert.equal(await world.read('anchoredAt', providerSigner.address, root), 0n)
  await world.networkHelpers.time.increaseTo(job.finishBy)
  await bring(KIND.noShow, 1n, job)
  const shown = await moved(() => world.showReceipt(1n, job, receiptOf(job), root))
  assert.deepEqual(shown, [CASE_BOND, -CASE_BOND, 0n])
})

test('data withholding: a receipt alone pays nothing that the requester contests', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  await world.contest(requester, 1n, job)
  assert.equal(await refusal(world.timeout(1n, job)), 'ComputeEscrowWrongCaseState')
  const split = await moved(() => world.resolve(1n, job))
  assert.deepEqual(split, [CASE_BOND, CASE_BOND, 0n])
  assert.equal((await world.read('channel', job.channel)).settled, 0n)
})

test('dispute spam: each open case of a side doubles the bond of its next, up to eight cases', async () => {
  await open(1n, { deposit: 20n * PRICE })
  const jobs = []
  for (let seq = 1n; seq <= 9n; seq += 1n) jobs.push(await agreementOf(1n, seq))
  for (const [index, job] of jobs.slice(0, 8).entries()) {
    const [, paid] = await moved(() => bring(KIND.nonPayment, 1n, job))
    assert.equal(paid, -(CASE_BOND << BigInt(index)))
  }
  const [ninth] = jobs.slice(8)
  assert.ok(ninth)
  assert.equal(await refusal(bring(KIND.nonPayment, 1n, ninth)), 'ComputeEscrowTooManyCases')
  const own = await moved(() => bring(KIND.wrongResult, 1n, ninth))
  assert.deepEqual(own, [-CASE_BOND, 0n, 0n])
})

test('dispute spam: a case that ends makes room, and the loser’s doubled bond is the winner’s', async () => {
  await open(1n, { deposit: 20n * PRICE, bond: 5000n })
  const [first, second] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  await bring(KIND.wrongResult, 1n, first)
  await bring(KIND.wrongResult, 1n, second)
  await world.contest(provider, 1n, second)
  const won = await moved(() => world.concede(provider, 1n, second))
  assert.deepEqual(won, [HALF + 4n * CASE_BOND, 0n, STAKE - HALF])
  const { requesterCases } = await world.read('channel', first.channel)
  assert.equal(requesterCases, 1n)
})

test('dispute spam: a case with nothing at stake, or by somebody else, is refused', async () => {
  await open(1n, { bond: 0n })
  const job = await agreementOf(1n, 1n)
  await as(stranger, 'claim', [...(await world.voucherArguments(1n, PRICE))])
  assert.equal(await refusal(bring(KIND.wrongResult, 1n, job)), 'ComputeEscrowNothingAtStake')
  for (const kind of [KIND.nonPayment, KIND.wrongResult]) {
    const args = await world.caseArguments(kind, 1n, await agreementOf(1n, 2n))
    assert.equal(await refusal(as(stranger, 'openCase', [...args])), 'ComputeEscrowNotAllowed')
  }
  const args = [...(await world.caseArguments(KIND.delivered, 1n, await agreementOf(1n, 2n)))]
  assert.equal(await refusal(as(provider, 'openCase', args)), 'ComputeEscrowWrongKind')
})

test('self-dispute: of a stake that is lost, at least half is the treasury’s, by whatever way it is lost', async () => {
  const ways: ((job: Awaited<ReturnType<typeof agreementOf>>) => Promise<unknown>)[] = [
    async (job) => {
      await bring(KIND.wrongResult, 1n, job)
      await world.concede(provider, 1n, job)
    },
    async (job) => {
      await bring(KIND.wrongResult, 1n, job)
      await world.letExpire(job)
      await world.timeout(1n, job)
    },
    async (job) => {
      const receipts = [receiptOf(job), receiptOf(job, { trace: job.channel })]
      const args = await world.equivocation(1n, job, receipts)
      await as(requester, 'equivocate', [...args])
    },
  ]
  for (const lose of ways) {
    await start.restore()
    await open(1n)
    const job = await agreementOf(1n, 1n, { price: 10n ** 6n, owedAfter: 10n ** 6n })
    const [r, p, treasury] = await moved(() => lose(job))
    assert.deepEqual([r, p, treasury], [HALF, 0n, STAKE - HALF])
  }
})

test('self-dispute: a requester is compensated at most by the price', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n, { price: 10n, owedAfter: 10n })
  await bring(KIND.wrongResult, 1n, job)
  const lost = await moved(() => world.concede(provider, 1n, job))
  assert.deepEqual(lost, [10n + CASE_BOND, 0n, STAKE - 10n])
})

test('equivocation: anyone slashes a provider of two receipts, also while a case is open, and once', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  await bring(KIND.nonPayment, 1n, job)
  const receipts = [receiptOf(job), receiptOf(job, { resultCommit: ZeroHash })]
  const args = [...(await world.equivocation(1n, job, receipts))]
  const lost = await moved(() => as(stranger, 'equivocate', args))
  assert.deepEqual(lost, [HALF + CASE_BOND, 0n, STAKE - HALF])
  assert.equal(await world.stateOf(job), STATE.providerWrong)
  assert.equal(await refusal(as(stranger, 'equivocate', args)), 'ComputeEscrowWrongCaseState')
})

test('equivocation: the same receipt twice, one of another job, or one the provider did not sign: refused', async () => {
  await open(1n)
  const [job, other] = [await agreementOf(1n, 1n), await agreementOf(1n, 2n)]
  const attempt = async (second: ReturnType<typeof receiptOf>) =>
    refusal(
      as(stranger, 'equivocate', [
        ...(await world.equivocation(1n, job, [receiptOf(job), second])),
      ]),
    )
  assert.equal(await attempt(receiptOf(job)), 'ComputeEscrowSameReceipt')
  assert.equal(await attempt(receiptOf(other)), 'ComputeEscrowWrongReceipt')
  const second = receiptOf(job, { trace: job.channel })
  const args = [...(await world.equivocation(1n, job, [receiptOf(job), second]))]
  const forged = await world.sign(requester, 'Receipt', second)
  const signatures = [await world.signReceipt(receiptOf(job)), forged]
  const call = as(stranger, 'equivocate', [...args.slice(0, 5), signatures])
  assert.equal(await refusal(call), 'ComputeEscrowBadSigner')
})

test('requester equivocation: two agreements of one number are two cases, and both signatures are needed for each', async () => {
  await open(1n)
  const job = await agreementOf(1n, 1n)
  const twin = { ...job, input: ZeroHash }
  assert.notEqual(world.caseId(job), world.caseId(twin))
  const args = [...(await world.caseArguments(KIND.nonPayment, 1n, twin))]
  const [, , , ofRequester, ofProvider] = await world.caseArguments(KIND.nonPayment, 1n, job)
  for (const [r, p] of [
    [args[3], ofProvider],
    [ofRequester, args[4]],
    [args[3], args[3]],
  ]) {
    const call = as(provider, 'openCase', [...args.slice(0, 3), r, p, ...args.slice(5)])
    assert.equal(await refusal(call), 'ComputeEscrowBadSigner')
  }
})

test('case after its time: a dispute is refused after its last second, and on a closed channel after the hold', async () => {
  await open(1n)
  await open(2n, { hold: 100n })
  const job = await agreementOf(1n, 1n)
  const last = await world.networkHelpers.takeSnapshot()
  await world.networkHelpers.time.setNextBlockTimestamp(job.disputeUntil)
  await bring(KIND.nonPayment, 1n, job)
  await last.restore()
  await world.networkHelpers.time.increaseTo(job.disputeUntil)
  assert.equal(await refusal(bring(KIND.nonPayment, 1n, job)), 'ComputeEscrowExpired')

  const held = await agreementOf(2n, 1n)
  await as(provider, 'claimAndClose', [...(await world.voucherArguments(2n, PRICE))])
  assert.equal(
    await refusal(as(provider, 'releaseBond', [world.partiesOf(2n)])),
    'ComputeEscrowTooEarly',
  )
  await bring(KIND.wrongResult, 2n, held)
  await world.networkHelpers.time.increase(DAY_SECONDS)
  const late = await agreementOf(2n, 2n)
  await as(provider, 'releaseBond', [world.partiesOf(2n)])
  assert.equal(await refusal(bring(KIND.wrongResult, 2n, late)), 'ComputeEscrowExpired')
})
