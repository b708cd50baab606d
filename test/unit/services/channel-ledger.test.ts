import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, HiveError } from '../../../node/domain/errors.ts'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import type { Amount } from '../../../node/domain/money.ts'
import { hour } from '../../../node/domain/units.ts'
import type { Escrow } from '../../../node/ports/escrow.ts'
import { voucherAnswer } from '../../../node/protocol/requests.ts'
import { bondNonce } from '../../../node/protocol/random.ts'
import { ChannelLedger } from '../../../node/services/requester/channel-ledger.ts'
import { VoucherDelivery } from '../../../node/services/requester/voucher-delivery.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { TestMarket, TOKEN, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()
const share = (n: number): Bytes32 => `0x${n.toString(16).padStart(64, '0')}`
const hasCode = (code: string) => (error: unknown) => codeOf(error) === code

/** A requester's ledger over a chain whose transactions a test can disturb. */
function requester(open: (chain: Escrow) => Escrow['open'] = (chain) => chain.open.bind(chain)) {
  const market = new TestMarket()
  const alice = market.member()
  const clock = new ManualClock(Date.now())
  const chain = market.chain.as(alice.signing.address)
  const escrow = Object.assign(market.chain.as(alice.signing.address), { open: open(chain) })
  const parts = { ...market.parts(alice), clock, escrow }
  const ledger = () => new ChannelLedger(parts, { channelDeposit: TOKEN })
  let bonds = 0
  const reserve = async (on: ChannelLedger, bob: Member, n: number, price = 1n, until = signal) => {
    const provider = bob.signing.address
    const offer = {
      provider,
      requester: alice.signing.address,
      providerSigner: provider,
      bond: BigInt(++bonds),
      hold: 0,
      expiry: Math.floor((clock.now() + hour) / 1000),
      nonce: bondNonce(alice.signing.address),
    }
    const signature = bob.signing.seal('BondOffer', offer).signatures[0] ?? new Uint8Array()
    const spend = { price, job: share(0) }
    await on.reserve(bob.signing.peer, { offer, signature }, spend, () => share(n), until)
  }
  const settle = async (on: ChannelLedger, bob: Member, n: number, amount: Amount = 1n) =>
    on.settle(bob.signing.address, { seq: n, agreement: share(n), amount }, [])
  return { market, alice, bob: market.member(), clock, chain, parts, ledger, reserve, settle }
}

/** What the ledger's channels are, oldest first. */
const statuses = (ledger: ChannelLedger) => ledger.all().map(({ status }) => status)

/** Lets the first `open` end with `error`, after or instead of its transaction. */
function failsOnce(error: HiveError, isMined: boolean) {
  let calls = 0
  return (chain: Escrow): Escrow['open'] =>
    async (...args) => {
      if (++calls > 1) return chain.open(...args)
      if (isMined) await chain.open(...args)
      throw error
    }
}

test('a channel under notice: shares in flight are still paid and their vouchers delivered', async () => {
  const on = requester()
  const ledger = on.ledger()
  await on.reserve(ledger, on.bob, 1)
  const [channel] = ledger.all()
  assert.ok(channel)
  await on.chain.startClose(channel.id, { signal })
  assert.equal(await ledger.reconcile(channel.id, signal), true)
  assert.deepEqual([statuses(ledger), ledger.has(channel.provider)], [['closing'], false])
  await on.reserve(ledger, on.bob, 2)
  await on.settle(ledger, on.bob, 1)
  await on.settle(ledger, on.bob, 2)
  let delivered = 0
  on.bob.node.requests.answer('voucher', async () => {
    delivered++
    return voucherAnswer.encode({ jobs: 1 })
  })
  const delivery = new VoucherDelivery({ ...on.parts, channels: ledger })
  await delivery.deliver(channel.provider, signal)
  assert.equal(delivered, 2)
  assert.deepEqual(
    ledger.all().map(({ status, acknowledged }) => [status, acknowledged]),
    [
      ['closing', 1],
      ['open', 1],
    ],
  )
})

test('a closed channel is dropped from the list, and nothing can be settled on it', async () => {
  const on = requester()
  const ledger = on.ledger()
  await on.reserve(ledger, on.bob, 1)
  const id = ledger.all()[0]?.id ?? '0x'
  await on.chain.startClose(id, { signal })
  on.market.chain.now = () => Math.floor(Date.now() / 1000) + 48 * 3600
  await on.chain.close(id, { signal })
  assert.equal(await ledger.reconcile(id, signal), true)
  assert.deepEqual(statuses(ledger), [])
  await assert.rejects(on.settle(ledger, on.bob, 1), hasCode('CHANNEL_UNKNOWN'))
})

test('an endpoint that does not know a channel that was seen: nothing is forgotten, nothing opened twice', async () => {
  const on = requester()
  const ledger = on.ledger()
  await on.reserve(ledger, on.bob, 1)
  const id = ledger.all()[0]?.id ?? '0x'
  const channel = on.parts.escrow.channel.bind(on.parts.escrow)
  on.parts.escrow.channel = async () => undefined
  await ledger.reconcile(id, signal)
  await on.settle(ledger, on.bob, 1)
  assert.equal(ledger.all()[0]?.cumulative, 1n)
  on.parts.escrow.channel = channel
  await ledger.reconcile(id, signal)
  assert.deepEqual(
    ledger.all().map((each) => [each.id, each.status, each.cumulative]),
    [[id, 'open', 1n]],
  )
  assert.equal(on.market.chain.channels.size, 1)
})

test('notice is refused while a share is under way or a voucher unacknowledged, unless forced', async () => {
  const on = requester()
  const ledger = on.ledger()
  await on.reserve(ledger, on.bob, 1)
  const id = ledger.all()[0]?.id ?? '0x'
  const notice = async (force = false) =>
    ledger.giveNotice(id, force, async () => on.chain.startClose(id, { signal }))
  await assert.rejects(notice(), hasCode('CHANNEL_BUSY'))
  await on.settle(ledger, on.bob, 1)
  await assert.rejects(notice(), hasCode('CHANNEL_BUSY'))
  assert.equal((await on.chain.channel(id, { signal }))?.status, 'open')
  await ledger.acknowledge(id, 1)
  await notice()
  assert.deepEqual(statuses(ledger), ['closing'])
  await on.reserve(ledger, on.bob, 2)
  const other = ledger.all()[1]?.id ?? '0x'
  await ledger.giveNotice(other, true, async () => on.chain.startClose(other, { signal }))
  assert.deepEqual(statuses(ledger), ['closing', 'closing'])
})

test('an answer lost after the open was mined: the channel is used, and no second one opened', async () => {
  const on = requester(failsOnce(new HiveError('CHAIN_UNREACHABLE'), true))
  const ledger = on.ledger()
  await on.reserve(ledger, on.bob, 1)
  await on.reserve(ledger, on.bob, 2)
  assert.equal(on.market.chain.channels.size, 1)
  assert.deepEqual([statuses(ledger), ledger.all()[0]?.lastSeq], [['open'], 2])
})

for (const [what, restarts] of [
  ['the next share', false],
  ['the next share after a restart', true],
] as const) {
  for (const isMined of [true, false]) {
    const became = isMined ? 'mined' : 'never mined'
    test(`the wait for an open was given up and it was ${became}: ${what} leads to one channel`, async () => {
      const leave = new AbortController()
      const gone = new HiveError('JOB_CANCELLED')
      const on = requester((chain) => {
        const opens = failsOnce(gone, isMined)(chain)
        return async (...args) => {
          const opening = opens(...args)
          await opening.catch(() => leave.abort(gone))
          return opening
        }
      })
      const first = on.ledger()
      await assert.rejects(on.reserve(first, on.bob, 1, 1n, leave.signal), hasCode('JOB_CANCELLED'))
      assert.deepEqual(statuses(first), ['opening'])
      const ledger = restarts ? on.ledger() : first
      if (restarts) await ledger.load()
      await on.reserve(ledger, on.bob, 2)
      assert.equal(on.market.chain.channels.size, 1)
      assert.deepEqual([statuses(ledger), ledger.all()[0]?.lastSeq], [['open'], 1])
      assert.equal(ledger.all()[0]?.deposit, TOKEN)
    })
  }
}

test('a pass over the channels finds one whose open was mined unseen', async () => {
  const leave = new AbortController()
  const on = requester((chain) => async (...args) => {
    await chain.open(...args)
    leave.abort(new HiveError('CANCELLED'))
    throw leave.signal.reason
  })
  const ledger = on.ledger()
  await assert.rejects(on.reserve(ledger, on.bob, 1, 1n, leave.signal), hasCode('CANCELLED'))
  assert.equal(await ledger.reconcile(ledger.all()[0]?.id ?? '0x', signal), true)
  assert.deepEqual([statuses(ledger), ledger.uncommitted()], [['open'], TOKEN])
})

test('an open that was never mined is asked about until its bond has expired, then freed', async () => {
  const on = requester(() => async () => Promise.reject(new HiveError('CHAIN_UNREACHABLE')))
  const ledger = on.ledger()
  await assert.rejects(on.reserve(ledger, on.bob, 1), hasCode('CHAIN_UNREACHABLE'))
  const id = ledger.all()[0]?.id ?? '0x'
  await on.clock.advance(hour)
  assert.equal(await ledger.reconcile(id, signal), false)
  await on.clock.advance(hour)
  assert.equal(await ledger.reconcile(id, signal), true)
  assert.deepEqual(statuses(ledger), [])
})

test('an open that the contract refused is not sent again: the next bond opens another', async () => {
  const on = requester(failsOnce(new HiveError('CHAIN_REVERTED'), false))
  const ledger = on.ledger()
  await assert.rejects(on.reserve(ledger, on.bob, 1), hasCode('CHAIN_REVERTED'))
  const refused = ledger.all()[0]?.id ?? '0x'
  await on.reserve(ledger, on.bob, 2)
  assert.deepEqual([...on.market.chain.channels.keys()].includes(refused), false)
  assert.equal(ledger.all().find(({ status }) => status === 'open')?.lastSeq, 1)
})

test('a restart keeps every channel with a provider', async () => {
  const on = requester()
  const before = on.ledger()
  await on.reserve(before, on.bob, 1)
  const id = before.all()[0]?.id ?? '0x'
  await on.chain.startClose(id, { signal })
  await before.reconcile(id, signal)
  await on.clock.advance(1)
  await on.reserve(before, on.bob, 2)
  const after = on.ledger()
  await after.load()
  assert.deepEqual(after.all(), before.all())
  assert.deepEqual(statuses(after), ['closing', 'open'])
  await on.settle(after, on.bob, 1)
  assert.equal(after.all()[0]?.cumulative, 1n)
})

test('several channels opened at once share what the account holds: each gets what it needs', async () => {
  const on = requester()
  const ledger = on.ledger()
  const price = (4n * TOKEN) / 10n
  on.market.chain.fund(on.alice.signing.address, (15n * TOKEN) / 10n)
  const providers = [on.bob, on.market.member(), on.market.member()]
  await Promise.all(providers.map(async (bob, n) => on.reserve(ledger, bob, n, price)))
  assert.deepEqual(statuses(ledger), ['open', 'open', 'open'])
  assert.ok(ledger.all().every(({ deposit }) => deposit >= price))
})

test('more channels at once than the account can pay: the last is told so before a transaction', async () => {
  const on = requester()
  const ledger = on.ledger()
  const price = (6n * TOKEN) / 10n
  on.market.chain.fund(on.alice.signing.address, TOKEN)
  const providers = [on.bob, on.market.member()]
  const ended = await Promise.allSettled(
    providers.map(async (bob, n) => on.reserve(ledger, bob, n, price)),
  )
  assert.deepEqual(
    ended.map((each) => each.status === 'rejected' && codeOf(each.reason)),
    [false, 'INSUFFICIENT_DEPOSIT'],
  )
  assert.deepEqual(
    ledger.all().map(({ deposit }) => deposit),
    [price],
  )
})

test('money taken out of the account waits until a channel that is being opened from it is', async () => {
  const sent = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const on = requester((chain) => async (terms, options) => {
    sent.resolve()
    await go.promise
    return chain.open(terms, options)
  })
  const ledger = on.ledger()
  const order: string[] = []
  const opening = on.reserve(ledger, on.bob, 1).then(() => order.push('opened'))
  await sent.promise
  const taken = ledger.spending(async () => order.push('taken'))
  await new Promise(setImmediate)
  assert.deepEqual(order, [])
  go.resolve()
  await Promise.all([opening, taken])
  assert.equal(order.length, 2)
  assert.equal(ledger.all()[0]?.status, 'open')
})

test('a channel that a reorganised chain forgot is opened again, and keeps what was promised', async () => {
  const { market, bob, alice, ledger, reserve, settle } = requester()
  market.chain.fund(alice.signing.address, 10n * TOKEN)
  const channels = ledger()
  await reserve(channels, bob, 1, 5n)
  await settle(channels, bob, 1, 5n)
  const [before] = channels.all()
  assert.ok(before)
  const undo = () => {
    market.chain.channels.delete(before.id)
    market.chain.move(alice.signing.address, before.deposit)
  }
  undo()
  assert.equal(await channels.reconcile(before.id, signal), true)
  assert.deepEqual(channels.all(), [before])
  assert.equal(market.chain.channels.get(before.id)?.deposit, before.deposit)
  assert.equal(await channels.reconcile(before.id, signal), false)

  // once more, noticed after a restart
  undo()
  const again = ledger()
  await again.load()
  assert.equal(await again.reconcile(before.id, signal), true)
  assert.equal(again.all()[0]?.status, 'open')
})

test('a channel that is missing when its opening has expired is not opened again: new shares open another', async () => {
  const { market, bob, alice, clock, ledger, reserve, settle } = requester()
  market.chain.fund(alice.signing.address, 10n * TOKEN)
  const channels = ledger()
  await reserve(channels, bob, 1, 5n)
  await settle(channels, bob, 1, 5n)
  const [before] = channels.all()
  assert.ok(before)
  market.chain.channels.delete(before.id)
  await clock.advance(2 * hour)
  await channels.reconcile(before.id, signal)
  assert.deepEqual(statuses(channels), ['opening'])
  await reserve(channels, bob, 2, 5n)
  assert.deepEqual(statuses(channels), ['opening', 'open'])
  assert.equal(channels.all()[0]?.cumulative, 5n, 'what was promised is not forgotten')
})
