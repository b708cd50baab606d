import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Agreement } from '../../node/domain/agreement.ts'
import type { Accusation } from '../../node/domain/case.ts'
import { codeOf, HiveError } from '../../node/domain/errors.ts'
import { ZERO_ADDRESS, ZERO_BYTES32, type Bytes32 } from '../../node/domain/ids.ts'
import { feeUp } from '../../node/domain/money.ts'
import type { PaidShare } from '../../node/domain/voucher.ts'
import type { Signer } from '../../node/ports/signer.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { jobsProof, jobsRoot } from '../../node/protocol/jobs-root.ts'
import type { MessageName, Messages } from '../../node/protocol/messages.ts'
import { bondNonce } from '../../node/protocol/random.ts'
import type { EscrowStage } from './escrow.ts'

const options = () => ({ signal: AbortSignal.timeout(20_000) })
const DAY_S = 24 * 3600
const DEPOSIT = 1000n
const BOND = 500n
const HOLD_S = 5 * DAY_S
const PRICE = 100n
const STAKE = 60n
const CASE_BOND = 10n

/** What the cases of every Escrow must do; run against the real contract and against the fake. */
export function escrowJudgesCases(
  name: string,
  open: () => Promise<EscrowStage & AsyncDisposable>,
): void {
  test(`${name}: a job that stays unpaid is paid once its requester was silent for the answer's time`, async () => {
    await using stage = await open()
    const it = await bring(stage, 'non-payment')
    const { escrow, signer } = stage.provider
    const opened = await escrow.cases.of(it.id, options())
    assert.deepEqual(
      [opened?.state, opened?.kind, opened?.openedByKey, opened?.amount, opened?.stake],
      ['opened', 'non-payment', false, PRICE, STAKE],
    )
    const held = await escrow.channel(it.channel, options())
    assert.deepEqual([held?.frozen, held?.bond, held?.providerCases], [PRICE, BOND - STAKE, 1])
    await revertsWith('ComputeEscrowTooEarly', escrow.cases.timeout(it.agreement, options()))
    await stage.pass(DAY_S + 1)
    const before = await escrow.balances(signer.address, options())
    await escrow.cases.timeout(it.agreement, options())
    const fee = feeUp(PRICE, BigInt(await escrow.feeBps(options())))
    const after = await escrow.balances(signer.address, options())
    assert.equal(after.free - before.free, PRICE - fee + CASE_BOND)
    const channel = await escrow.channel(it.channel, options())
    assert.deepEqual([channel?.settled, channel?.bond, channel?.frozen], [PRICE, BOND, 0n])
    assert.equal((await escrow.cases.of(it.id, options()))?.state, 'provider-right')
    assert.equal((await escrow.record(stage.requester.signer.address, options())).faults, 1)
    assert.deepEqual(await escrow.cases.on(it.channel, options()), [it.id])
    const story = await escrow.events({ fromBlock: 0, channel: it.channel }, options())
    assert.deepEqual(
      story.map(({ type }) => type),
      ['opened', 'case-opened', 'case-ended'],
    )
    const end = story.at(-1)
    assert.ok(end?.type === 'case-ended')
    assert.deepEqual(
      [end.paid, end.fee, end.outcome, end.case],
      [PRICE, fee, 'provider-right', it.id],
    )
  })

  test(`${name}: a job has one case for ever, and only its own side can bring it`, async () => {
    await using stage = await open()
    const job = await anAgreement(stage)
    const { requester, provider } = stage
    const openBy = async ({ escrow }: typeof requester) =>
      escrow.cases.open('non-payment', job.signed, job.receipt, options())
    await revertsWith('ComputeEscrowNotAllowed', openBy(requester))
    await openBy(provider)
    await revertsWith('ComputeEscrowWrongCaseState', openBy(provider))
    await requester.escrow.cases.concede(job.agreement, options())
    assert.equal((await provider.escrow.channel(job.channel, options()))?.settled, PRICE)
    const record = await provider.escrow.record(requester.signer.address, options())
    assert.equal(record.faults, 0)
    await revertsWith('ComputeEscrowWrongCaseState', openBy(provider))
  })

  test(`${name}: a job that was never brought is no case`, async () => {
    await using stage = await open()
    assert.equal(await stage.provider.escrow.cases.of(`0x${'12'.repeat(32)}`, options()), undefined)
  })

  test(`${name}: an agreement that one side did not sign cannot be brought`, async () => {
    await using stage = await open()
    const { signed, receipt } = await anAgreement(stage)
    const forged = { ...signed, requesterSignature: signed.providerSignature }
    const opening = stage.provider.escrow.cases.open('non-payment', forged, receipt, options())
    await revertsWith('ComputeEscrowBadSigner', opening)
  })

  test(`${name}: a wrong result that nobody defends costs the stake, half of it to the treasury`, async () => {
    await using stage = await open()
    const it = await bring(stage, 'wrong-result')
    const { escrow, signer } = stage.requester
    await stage.pass(DAY_S + 1)
    const before = await escrow.balances(signer.address, options())
    await escrow.cases.timeout(it.agreement, options())
    const after = await escrow.balances(signer.address, options())
    assert.equal(after.free - before.free, CASE_BOND + STAKE / 2n)
    const channel = await escrow.channel(it.channel, options())
    assert.deepEqual([channel?.settled, channel?.bond], [0n, BOND - STAKE])
    assert.equal((await escrow.record(stage.provider.signer.address, options())).faults, 1)
  })

  test(`${name}: a contested case without a verifier ends in the agreed split`, async () => {
    await using stage = await open()
    const it = await bring(stage, 'wrong-result')
    const { escrow } = stage.provider
    await escrow.cases.contest(it.agreement, it.receipt, options())
    const contested = await escrow.cases.of(it.id, options())
    assert.deepEqual(
      [contested?.state, contested?.contestedByKey, contested?.evidence],
      ['contested', false, it.receiptId],
    )
    await stage.pass(10)
    await escrow.cases.resolve(it.agreement, options())
    assert.equal((await escrow.cases.of(it.id, options()))?.state, 'undecided')
    const channel = await escrow.channel(it.channel, options())
    assert.deepEqual([channel?.settled, channel?.bond], [PRICE / 4n, BOND])
  })

  test(`${name}: a no-show is brought after the deadline, and a receipt turns it into a matter of pay`, async () => {
    await using stage = await open()
    const job = await anAgreement(stage)
    const { cases } = stage.requester.escrow
    const early = cases.open('no-show', job.signed, undefined, options())
    await revertsWith('ComputeEscrowTooEarly', early)
    await stage.pass(2 * 3600)
    await cases.open('no-show', job.signed, undefined, options())
    await stage.provider.escrow.cases.showReceipt(job.agreement, job.receipt, undefined, options())
    const shown = await cases.of(job.id, options())
    assert.deepEqual([shown?.state, shown?.kind, shown?.amount], ['opened', 'delivered', PRICE])
    await stage.pass(DAY_S + 1)
    await cases.timeout(job.agreement, options())
    assert.equal((await cases.of(job.id, options()))?.state, 'provider-right')
  })

  test(`${name}: a claimed voucher that holds the job proves that it was paid`, async () => {
    await using stage = await open()
    const it = await bring(stage, 'non-payment')
    const paid = { seq: 1, agreement: it.id, amount: PRICE }
    const voucher = vouch(stage, it.channel, [paid])
    const { escrow } = stage.requester
    const job = { ...paid, index: 0 }
    const unclaimed = escrow.cases.provePaid(it.agreement, voucher, job, [], options())
    await revertsWith('ComputeEscrowNotPaid', unclaimed)
    await escrow.claim(voucher.voucher, voucher.signature, options())
    await escrow.cases.provePaid(it.agreement, voucher, job, [], options())
    assert.equal((await escrow.cases.of(it.id, options()))?.state, 'paid-shown')
    assert.deepEqual(await escrow.cases.shownPayment(it.id, options()), {
      voucher: voucher.voucher,
      job,
    })
    await stage.pass(DAY_S + 1)
    await escrow.cases.timeout(it.agreement, options())
    assert.equal((await escrow.cases.of(it.id, options()))?.state, 'paid')
    assert.equal((await escrow.channel(it.channel, options()))?.settled, PRICE)
  })

  test(`${name}: a voucher that contradicts the one shown ends the case for the provider`, async () => {
    await using stage = await open()
    const it = await bring(stage, 'non-payment')
    const other = { seq: 2, agreement: `0x${'0e'.repeat(32)}`, amount: PRICE } as const
    const truth = vouch(stage, it.channel, [other])
    const { escrow } = stage.requester
    await escrow.claim(truth.voucher, truth.signature, options())
    const lie = { seq: 1, agreement: it.id, amount: PRICE }
    const voucher = vouch(stage, it.channel, [lie])
    const shown = { ...lie, index: 0 }
    await escrow.cases.provePaid(it.agreement, voucher, shown, [], options())
    const payment = await stage.provider.escrow.cases.shownPayment(it.id, options())
    assert.ok(payment !== undefined)
    const same = stage.provider.escrow.cases.disprovePaid(
      it.agreement,
      payment,
      voucher,
      shown,
      [],
      options(),
    )
    await revertsWith('ComputeEscrowNoContradiction', same)
    const against = { ...other, index: 0 }
    const proof = jobsProof([other], 0)
    await stage.provider.escrow.cases.disprovePaid(
      it.agreement,
      payment,
      truth,
      against,
      proof,
      options(),
    )
    assert.equal((await escrow.cases.of(it.id, options()))?.state, 'provider-right')
    assert.equal((await escrow.channel(it.channel, options()))?.settled, 2n * PRICE)
  })

  test(`${name}: two receipts for one agreement cost the stake at once`, async () => {
    await using stage = await open()
    const job = await anAgreement(stage)
    const second = receiptOf(stage, job.id, { completed: 0 })
    const { escrow } = stage.requester
    const same = escrow.cases.equivocate(job.signed, [job.receipt, job.receipt], options())
    await revertsWith('ComputeEscrowSameReceipt', same)
    await escrow.cases.equivocate(job.signed, [job.receipt, second], options())
    const ended = await escrow.cases.of(job.id, options())
    assert.deepEqual([ended?.state, ended?.kind], ['provider-wrong', 'equivocation'])
    assert.equal((await escrow.channel(job.channel, options()))?.bond, BOND - STAKE)
    assert.deepEqual(await escrow.cases.on(job.channel, options()), [job.id])
  })

  test(`${name}: a root on record keeps its first time`, async () => {
    await using stage = await open()
    const { escrow, signer } = stage.provider
    const root: Bytes32 = `0x${'a7'.repeat(32)}`
    assert.equal(await escrow.cases.anchoredAt(signer.address, root, options()), 0)
    await escrow.cases.anchor(root, options())
    const at = await escrow.cases.anchoredAt(signer.address, root, options())
    assert.ok(at > 0 && at <= (await escrow.time(options())))
    await stage.pass(60)
    await escrow.cases.anchor(root, options())
    assert.equal(await escrow.cases.anchoredAt(signer.address, root, options()), at)
  })

  test(`${name}: a bond outlives its channel by its hold, and is released once`, async () => {
    await using stage = await open()
    const { channel } = await anAgreement(stage)
    const { escrow, signer } = stage.provider
    const voucher = vouch(stage, channel, [{ seq: 1, agreement: ZERO_BYTES32, amount: 5n }])
    await escrow.claimAndClose(voucher.voucher, voucher.signature, options())
    const closed = await escrow.channel(channel, options())
    assert.deepEqual([closed?.status, closed?.settled, closed?.bond], ['closed', 5n, BOND])
    assert.equal(closed?.bondFreeAt, (await escrow.time(options())) + HOLD_S)
    await revertsWith('ComputeEscrowTooEarly', escrow.releaseBond(channel, options()))
    await stage.pass(HOLD_S + 1)
    const before = await escrow.balances(signer.address, options())
    await escrow.releaseBond(channel, options())
    const after = await escrow.balances(signer.address, options())
    assert.equal(after.free - before.free, BOND)
    await revertsWith('ComputeEscrowZeroAmount', escrow.releaseBond(channel, options()))
    const last = (await escrow.events({ fromBlock: 0, channel }, options())).at(-1)
    assert.deepEqual(
      [last?.type, last?.type === 'bond-released' && last.amount],
      ['bond-released', BOND],
    )
  })

  test(`${name}: what is left of a sponsored deposit goes back to who paid it, in proportion`, async () => {
    await using stage = await open()
    const { channel } = await anAgreement(stage)
    const { escrow, signer } = stage.provider
    await escrow.deposit(DEPOSIT, options())
    await escrow.sponsor(channel, DEPOSIT, options())
    assert.equal(await escrow.sponsorship(channel, signer.address, options()), DEPOSIT)
    assert.equal((await escrow.channel(channel, options()))?.sponsored, DEPOSIT)
    const voucher = vouch(stage, channel, [{ seq: 1, agreement: ZERO_BYTES32, amount: 500n }])
    await escrow.claimAndClose(voucher.voucher, voucher.signature, options())
    const left = (2n * DEPOSIT - 500n) / 2n
    for (const side of [stage.provider, stage.requester]) {
      const before = await escrow.balances(side.signer.address, options())
      await escrow.refund(channel, side.signer.address, options())
      const after = await escrow.balances(side.signer.address, options())
      assert.equal(after.free - before.free, left)
    }
    const again = escrow.refund(channel, signer.address, options())
    await revertsWith('ComputeEscrowNothingToRefund', again)
  })

  test(`${name}: an account's record tells fees and when it was first seen`, async () => {
    await using stage = await open()
    const { escrow, signer } = stage.provider
    const before = await escrow.record(signer.address, options())
    const { channel } = await anAgreement(stage)
    const voucher = vouch(stage, channel, [{ seq: 1, agreement: ZERO_BYTES32, amount: 400n }])
    await escrow.claim(voucher.voucher, voucher.signature, options())
    const after = await escrow.record(signer.address, options())
    const fee = feeUp(400n, BigInt(await escrow.feeBps(options())))
    assert.equal(after.feesPaid - before.feesPaid, fee)
    assert.ok(after.firstSeen > 0 && after.firstSeen <= (await escrow.time(options())))
  })
}

/** Asserts a revert by the contract's name for it. */
async function revertsWith(error: string, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (thrown) => {
    assert.equal(codeOf(thrown), 'CHAIN_REVERTED')
    assert.equal(thrown instanceof HiveError && thrown.data['error'], error)
    return true
  })
}

/** A fresh agreement, brought before the contract by the side that may. */
async function bring(stage: EscrowStage, kind: Accusation) {
  const job = await anAgreement(stage)
  const { escrow } = kind === 'non-payment' ? stage.provider : stage.requester
  await escrow.cases.open(kind, job.signed, job.receipt, options())
  return job
}

/** A channel with an agreement that both signed, and its receipt. */
async function anAgreement(stage: EscrowStage) {
  const { requester, provider } = stage
  const channel = await openChannel(stage)
  const now = await provider.escrow.time(options())
  const agreement: Agreement = {
    channel,
    seq: 1,
    offer: ZERO_BYTES32,
    spec: ZERO_BYTES32,
    input: ZERO_BYTES32,
    tasks: 1,
    price: PRICE,
    owedAfter: 5n * PRICE,
    stake: STAKE,
    caseBond: CASE_BOND,
    verifier: ZERO_ADDRESS,
    verifierParams: ZERO_BYTES32,
    nonceCommitR: ZERO_BYTES32,
    nonceCommitP: ZERO_BYTES32,
    startBy: now + 600,
    finishBy: now + 3600,
    disputeUntil: now + 30 * DAY_S,
    onUndecided: 25,
  }
  const [first, second] = [requester, provider].map(({ signer }) =>
    sign(stage, 'Agreement', agreement, signer),
  )
  assert.ok(first !== undefined && second !== undefined)
  const signed = {
    agreement,
    requesterSignature: first.signature,
    providerSignature: second.signature,
  }
  const receipt = receiptOf(stage, first.id, {})
  const receiptId = sign(stage, 'Receipt', receipt.receipt, provider.signer).id
  return { id: first.id, channel, agreement, signed, receipt, receiptId }
}

function receiptOf(
  stage: EscrowStage,
  agreement: Bytes32,
  changes: { readonly completed?: number },
) {
  const receipt = {
    agreement,
    completed: 1,
    amount: PRICE,
    resultCommit: ZERO_BYTES32,
    trace: ZERO_BYTES32,
    dataRoot: ZERO_BYTES32,
    finishedAt: 1,
    ...changes,
  }
  return { receipt, signature: sign(stage, 'Receipt', receipt, stage.provider.signer).signature }
}

async function openChannel({ requester, provider }: EscrowStage): Promise<Bytes32> {
  await requester.escrow.deposit(DEPOSIT + 100n, options())
  await provider.escrow.deposit(BOND + 100n, options())
  const bondOffer = {
    provider: provider.signer.address,
    requester: requester.signer.address,
    providerSigner: provider.signer.address,
    bond: BOND,
    hold: HOLD_S,
    expiry: (await provider.escrow.time(options())) + DAY_S,
    nonce: bondNonce(requester.signer.address),
  }
  const bond = sign({ requester, provider }, 'BondOffer', bondOffer, provider.signer)
  const { id } = await requester.escrow.open(
    {
      bondOffer,
      bondSignature: bond.signature,
      requesterSigner: requester.signer.address,
      deposit: DEPOSIT,
      agreement: ZERO_BYTES32,
    },
    options(),
  )
  return id
}

function vouch(stage: EscrowStage, channel: Bytes32, paid: readonly PaidShare[]) {
  const cumulative = paid.reduce((sum, { amount }) => sum + amount, 0n)
  const voucher = { channel, cumulative, jobs: paid.length, jobsRoot: jobsRoot(paid) }
  return { voucher, signature: sign(stage, 'Voucher', voucher, stage.requester.signer).signature }
}

function sign<N extends MessageName>(
  { provider: { escrow } }: Pick<EscrowStage, 'requester' | 'provider'>,
  name: N,
  message: Messages[N],
  signer: Signer,
): { readonly id: Bytes32; readonly signature: Uint8Array } {
  const codec = createEnvelopeCodec({ chainId: escrow.chainId, escrow: escrow.address })
  const { id, signatures } = codec.seal(name, message, (digest) => signer.signDigest(digest))
  return { id, signature: signatures[0] ?? new Uint8Array() }
}
