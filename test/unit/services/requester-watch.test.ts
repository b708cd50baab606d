import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import type { Hex } from '../../../node/domain/ids.ts'
import type { Escrow } from '../../../node/ports/escrow.ts'
import { DriftCounts } from '../../../node/services/drift.ts'
import { agreementOf, receiptOf } from '../../../node/services/watchtower/evidence.ts'
import { RequesterWatch } from '../../../node/services/watchtower/requester-watch.ts'
import { Watchtower } from '../../../node/services/watchtower/watchtower.ts'
import { oneJob, TestMarket, type Member } from '../../support/test-market.ts'

const DAY_S = 24 * 3600
const { signal } = new AbortController()

test('watchtower: a requester accused over a share that it paid claims its voucher and shows the payment', async () => {
  await using it = await aPaidShare()
  await it.accuse()
  await it.look()
  assert.equal(await it.state(), 'paid-shown')
  assert.equal((await it.channel()).settled, it.amount)
  await it.look()
  assert.equal(await it.state(), 'paid-shown', 'a second look changes nothing')
  it.pass(DAY_S + 1)
  await it.look()
  assert.equal(await it.state(), 'paid')
})

test('watchtower: where the contract takes no proof of payment, the case is left to its deadline', async () => {
  await using it = await aPaidShare()
  await it.accuse()
  it.paysOutOfACase()
  await it.look()
  assert.equal(await it.state(), 'opened')
  assert.ok(it.warned('payment could not be shown'))
  assert.ok(it.warned('case left to its deadline: no verifier could rule'))
})

test('watchtower: an endpoint that is away while a payment is shown is no refusal', async () => {
  await using it = await aPaidShare()
  await it.accuse()
  const away: Escrow = Object.assign(Object.create(it.escrow) as Escrow, {
    claim: async () => Promise.reject(new HiveError('CHAIN_UNREACHABLE')),
  })
  await assert.rejects(it.look(away), { code: 'CHAIN_UNREACHABLE' })
  await it.look()
  assert.equal(await it.state(), 'paid-shown')
})

test('watchtower: a case outlives its channel: the requester ends what it has shown after the close', async () => {
  await using it = await aPaidShare()
  await it.accuse()
  await it.giveNotice()
  await it.watch()
  assert.equal(await it.state(), 'paid-shown')
  it.pass(DAY_S + 1)
  await it.close()
  await it.reconcile()
  assert.deepEqual(it.channels(), [])
  await it.watch()
  assert.equal(await it.state(), 'paid')
  assert.deepEqual(it.counts.of('case'), { found: 2, mended: 2 })
})

test('watchtower: a requester that closes a channel has its provider paid before, who may be away', async () => {
  await using it = await aPaidShare()
  await it.giveNotice()
  it.pass(DAY_S + 1)
  await it.watch()
  const { status, settled } = await it.channel()
  assert.deepEqual([status, settled], ['closed', it.amount])
})

test('watchtower: a case that cannot be answered is a difference that stays', async () => {
  await using it = await aPaidShare()
  await it.accuse()
  it.refuseProofs()
  await it.watch()
  await it.watch()
  assert.deepEqual(it.counts.of('case'), { found: 2, mended: 0 })
})

/** A share that ran, was paid by a voucher, and is not claimed; its provider may accuse all the same. */
async function aPaidShare() {
  const market = new TestMarket()
  let ahead = 0
  market.chain.now = () => Math.floor(Date.now() / 1000) + ahead
  const [alice, bob] = [market.member(), market.member()]
  await using made = new AsyncDisposableStack()
  const requester = made.use(await market.requester(alice))
  const provider = made.use(await market.provider(bob, { claimAfterIdleMs: 3_600_000 }))
  await oneJob(requester, alice, signal)
  const [work] = await provider.works.all()
  assert.ok(work?.receipt !== undefined && work.amount !== undefined)
  const { channel: id, receipt, amount } = work
  const mine = market.parts(alice)
  const { channels, book, forgotten } = requester
  const counts = new DriftCounts()
  const tower = new Watchtower({ ...mine, counts, requester })
  const bobs = market.chain.as(bob.signing.address)
  const channel = async () => {
    const found = await mine.escrow.channel(id, { signal })
    assert.ok(found !== undefined)
    return found
  }
  const owned = made.move()
  return {
    amount,
    channel,
    escrow: mine.escrow,
    counts,
    channels: () => requester.channels.all(),
    giveNotice: async () => bobs.startClose(id, { signal }),
    close: async () => bobs.close(id, { signal }),
    reconcile: async () => requester.channels.reconcile(id, signal),
    watch: async () => tower.pass(signal),
    refuseProofs: () =>
      Object.assign(mine.escrow.cases, {
        provePaid: async () => Promise.reject(new HiveError('INTERNAL')),
      }),
    pass: (seconds: number) => void (ahead += seconds),
    paysOutOfACase: () => void market.chain.paidByCase.add(id),
    warned: (text: string) => market.log.some(({ message }) => message === text),
    state: async () => (await mine.escrow.cases.of(work.id, { signal }))?.state,
    look: async (escrow: Escrow = mine.escrow) => {
      const counted = { forgotten, counts }
      const watch = new RequesterWatch({ ...mine, escrow, channels, book, ...counted })
      await watch.look(await channel(), market.chain.now(), signal)
    },
    accuse: async () => {
      ahead += 60
      await accuseOf(market, bob, work.agreement, receipt)
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  }
}

async function accuseOf(market: TestMarket, member: Member, agreement: Hex, receipt: Hex) {
  const { escrow, signing } = market.parts(member)
  const signed = agreementOf(signing, agreement)
  assert.ok(signed !== undefined)
  await escrow.cases.open('non-payment', signed, receiptOf(signing, receipt), { signal })
}
