import { pickAsk } from '../../../node/domain/offer-ask.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Accusation } from '../../../node/domain/case.ts'
import { ZERO_ADDRESS, ZERO_BYTES32, type Address } from '../../../node/domain/ids.ts'
import { toHex } from '../../../node/protocol/bytes.ts'
import { jobsRoot } from '../../../node/protocol/jobs-root.ts'
import { bondNonce } from '../../../node/protocol/random.ts'
import { DriftCounts } from '../../../node/services/drift.ts'
import { Earnings } from '../../../node/services/provider/earnings.ts'
import { WorkBook } from '../../../node/services/provider/work-book.ts'
import { agreementOf, receiptOf, voucherOf } from '../../../node/services/watchtower/evidence.ts'
import { ProviderWatch } from '../../../node/services/watchtower/provider-watch.ts'
import { anOffer } from '../../support/messages.ts'
import { TestMarket, TOKEN } from '../../support/test-market.ts'

const DAY_S = 24 * 3600
const HOLD_S = 3 * DAY_S
const PRICE = 2n * TOKEN

test('watchtower: a delivered share that stays unpaid is brought after its grace, and paid when nobody answers', async () => {
  const it = await aDeliveredShare()
  await it.look()
  assert.equal(await it.state(), undefined, 'not before its grace')
  it.pass(2 * 3600)
  await it.look()
  assert.equal(await it.state(), 'opened')
  await it.look()
  assert.equal(await it.state(), 'opened', 'a second look changes nothing')
  it.pass(DAY_S + 1)
  await it.look()
  assert.equal(await it.state(), 'provider-right')
  assert.equal((await it.channel()).settled, PRICE)
  await it.look()
  assert.equal((await it.channel()).providerCases, 0)
})

test('watchtower: a share below the minimum is not worth a case', async () => {
  const it = await aDeliveredShare({ minimumAmount: PRICE + 1n })
  it.pass(2 * 3600)
  await it.look()
  assert.equal(await it.state(), undefined)
})

test('watchtower: a no-show is answered with the receipt', async () => {
  const it = await aDeliveredShare()
  await it.accuse('no-show')
  await it.look()
  assert.equal((await it.found())?.kind, 'delivered')
  it.pass(DAY_S + 1)
  await it.look()
  assert.equal(await it.state(), 'provider-right')
})

test('watchtower: a wrong result is contested where somebody can rule, and else left to its deadline', async () => {
  const it = await aDeliveredShare({}, `0x${'5e'.repeat(20)}`)
  await it.accuse('wrong-result')
  await it.look()
  assert.equal(await it.state(), 'contested')
  const other = await aDeliveredShare()
  await other.accuse('wrong-result')
  await other.look()
  assert.equal(await other.state(), 'opened')
})

test('watchtower: a payment that was shown and contradicts the own voucher is disproved', async () => {
  const it = await aDeliveredShare()
  it.pass(2 * 3600)
  await it.look()
  await it.showFalsePayment()
  assert.equal(await it.state(), 'paid-shown')
  await it.look()
  assert.equal(await it.state(), 'provider-right')
})

test('watchtower: a bond is released when its hold is over, not before', async () => {
  const it = await aDeliveredShare()
  it.pass(60)
  await it.requesterEscrow.startClose(it.id, options())
  it.pass(DAY_S + 1)
  await it.requesterEscrow.close(it.id, options())
  await it.look()
  assert.equal((await it.channel()).bond, TOKEN)
  it.pass(HOLD_S + 1)
  await it.look()
  assert.equal((await it.channel()).bond, 0n)
})

/** A provider with one delivered and unpaid share, on a chain whose time the test moves. */
async function aDeliveredShare(
  watching: { readonly minimumAmount?: bigint } = {},
  verifier: Address = ZERO_ADDRESS,
) {
  const market = new TestMarket()
  const start = Math.floor(Date.now() / 1000)
  let ahead = 0
  market.chain.now = () => start + ahead
  const [requester, provider] = [market.member(), market.member()]
  const parts = market.parts(provider)
  const requesterEscrow = market.parts(requester).escrow
  const [payer, worker] = [requester.signing.address, provider.signing.address]
  const bondOffer = {
    provider: worker,
    requester: payer,
    providerSigner: worker,
    bond: TOKEN,
    hold: HOLD_S,
    expiry: start + DAY_S,
    nonce: bondNonce(payer),
  }
  const bondSignature = provider.signing.seal('BondOffer', bondOffer).signatures[0]
  assert.ok(bondSignature !== undefined)
  const deposit = 10n * TOKEN
  const terms = { bondOffer, bondSignature, requesterSigner: payer, deposit }
  const { id } = await requesterEscrow.open({ ...terms, agreement: ZERO_BYTES32 }, options())
  const offered = requester.signing.seal('Agreement', {
    channel: id,
    seq: 1,
    offer: ZERO_BYTES32,
    spec: ZERO_BYTES32,
    input: ZERO_BYTES32,
    tasks: 1,
    price: PRICE,
    owedAfter: PRICE,
    stake: TOKEN / 2n,
    caseBond: 0n,
    verifier,
    verifierParams: ZERO_BYTES32,
    nonceCommitR: ZERO_BYTES32,
    nonceCommitP: ZERO_BYTES32,
    startBy: start,
    finishBy: start,
    disputeUntil: start + 30 * DAY_S,
    onUndecided: 0,
  })
  const agreement = provider.signing.countersign(offered)
  const receipt = provider.signing.seal('Receipt', {
    agreement: agreement.id,
    completed: 1,
    amount: PRICE,
    resultCommit: ZERO_BYTES32,
    trace: ZERO_BYTES32,
    dataRoot: ZERO_BYTES32,
    finishedAt: start,
  })
  const works = new WorkBook(provider.store)
  await works.put({
    id: agreement.id,
    state: 'running',
    requester: payer,
    peer: requester.signing.peer,
    channel: id,
    seq: 1,
    spec: ZERO_BYTES32,
    tasks: [0],
    ask: pickAsk(anOffer()),
    price: PRICE,
    amount: PRICE,
    finishBy: start,
    startedAt: start * 1000,
    finishedAt: start * 1000,
    agreement: toHex(agreement.bytes),
    receipt: toHex(receipt.bytes),
  })
  const claiming = { claimAbove: TOKEN, claimAfterIdleMs: 1000 }
  const earnings = new Earnings({ ...parts, works }, claiming)
  const channel = async () => {
    const found = await parts.escrow.channel(id, options())
    assert.ok(found !== undefined)
    return found
  }
  await earnings.note(await channel(), 1)
  const counts = new DriftCounts()
  const watch = new ProviderWatch({ ...parts, earnings, works, counts }, watching)
  const found = async () => parts.escrow.cases.of(agreement.id, options())
  const signed = agreementOf(provider.signing, toHex(agreement.bytes))
  const shown = receiptOf(provider.signing, toHex(receipt.bytes))
  assert.ok(signed !== undefined)
  return {
    id,
    requesterEscrow,
    channel,
    found,
    state: async () => (await found())?.state,
    pass: (seconds: number) => void (ahead += seconds),
    look: async () => watch.look(await channel(), market.chain.now(), options().signal),
    accuse: async (kind: Accusation) => {
      ahead += 1
      return requesterEscrow.cases.open(kind, signed, shown, options())
    },
    /** The requester shows a voucher that it never gave the provider, paid out by a sum of nothing. */
    showFalsePayment: async () => {
      const lie = { seq: 1, agreement: agreement.id, amount: PRICE }
      const message = { channel: id, cumulative: PRICE, jobs: 1, jobsRoot: jobsRoot([lie]) }
      const voucher = voucherOf(
        provider.signing,
        toHex(requester.signing.seal('Voucher', message).bytes),
      )
      const other = { seq: 2, agreement: ZERO_BYTES32, amount: PRICE }
      const truth = { ...message, jobsRoot: jobsRoot([other]) }
      const own = requester.signing.seal('Voucher', truth)
      const [record] = earnings.all()
      assert.ok(record !== undefined && own.signatures[0] !== undefined)
      await requesterEscrow.claim(truth, own.signatures[0], options())
      Object.assign(record, { paid: [other], voucher: toHex(own.bytes), cumulative: PRICE })
      const job = { ...lie, index: 0 }
      await requesterEscrow.cases.provePaid(signed.agreement, voucher, job, [], options())
    },
  }
}

function options() {
  return { signal: AbortSignal.timeout(10_000) }
}
