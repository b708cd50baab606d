import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bytes32 } from '../../../node/domain/ids.ts'
import type { PaidShare } from '../../../node/domain/voucher.ts'
import { Table } from '../../../node/services/table.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import { voucherAnswer, voucherRequest } from '../../../node/protocol/requests.ts'
import { jobsRoot } from '../../../node/protocol/jobs-root.ts'
import { bondNonce } from '../../../node/protocol/random.ts'
import { ChannelLedger } from '../../../node/services/requester/channel-ledger.ts'
import { VoucherDelivery } from '../../../node/services/requester/voucher-delivery.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { claimed, oneJob, TASK_PRICE, TestMarket, TOKEN } from '../../support/test-market.ts'

const { signal } = new AbortController()

const numbered = (seq: number): Bytes32 => `0x${seq.toString(16).padStart(64, '0')}`

/** A requester's ledger with one channel on which `shares` shares of 1 unit were paid. */
async function paying(shares: number, answer: (bytes: Uint8Array) => number) {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const parts = { ...market.parts(alice), clock: new ManualClock(Date.now()) }
  const channels = new ChannelLedger(parts, { channelDeposit: TOKEN })
  const provider = bob.signing.address
  const bond = bob.signing.seal('BondOffer', {
    provider,
    requester: alice.signing.address,
    providerSigner: provider,
    bond: 0n,
    hold: 0,
    expiry: 2_000_000_000,
    nonce: bondNonce(alice.signing.address),
  })
  const signature = bond.signatures[0] ?? new Uint8Array()
  await channels.reserve(
    bob.signing.peer,
    { offer: bond.message, signature },
    { price: 1n, job: numbered(0) },
    () => '0x01',
    signal,
  )
  await channels.release(provider, '0x01', true)
  const [channel] = channels.all()
  assert.ok(channel)
  const paid = new Table<PaidShare>(alice.store, `paid/${channel.id}/`)
  for (let seq = 1; seq < shares; seq++)
    await paid.put(String(seq).padStart(9, '0'), { seq, agreement: numbered(seq), amount: 1n })
  const before = {
    jobs: shares - 1,
    cumulative: BigInt(shares - 1),
    inFlight: { [numbered(shares)]: 1n },
  }
  await new Table(alice.store, 'channel/').put(channel.id, { ...channel, ...before })
  await channels.load()
  await channels.settle(provider, { seq: shares, agreement: numbered(shares), amount: 1n }, [])
  const requests: Uint8Array[] = []
  bob.node.requests.answer('voucher', async (_, bytes) => {
    requests.push(bytes)
    return voucherAnswer.encode({ jobs: answer(bytes) })
  })
  const delivery = new VoucherDelivery({ ...parts, channels })
  return { alice, channels, delivery, provider, requests, clock: parts.clock }
}

test('a channel’s newest voucher pays all its shares, and is delivered once', async () => {
  const on = await paying(3, () => 3)
  await on.delivery.deliver(on.provider, signal)
  await on.delivery.deliver(on.provider, signal)
  assert.equal(on.requests.length, 1)
  const { voucher, shares } = voucherRequest.decode(on.requests[0] ?? new Uint8Array())
  const { message } = on.alice.signing.open('Voucher', voucher)
  assert.deepEqual([message.cumulative, message.jobs, message.jobsRoot], [3n, 3, jobsRoot(shares)])
  assert.equal(on.channels.all()[0]?.acknowledged, 3)
})

test('more shares than one request can carry go in several, each with a voucher that fits them', async () => {
  let known = 0
  const on = await paying(300, (bytes) => (known += voucherRequest.decode(bytes).shares.length))
  await on.delivery.deliver(on.provider, signal)
  const sent = on.requests.map((bytes) => voucherRequest.decode(bytes))
  assert.deepEqual(
    sent.map(({ voucher }) => on.alice.signing.open('Voucher', voucher).message.cumulative),
    [256n, 300n],
  )
  assert.deepEqual(
    sent.map(({ shares }) => shares.length),
    [256, 44],
  )
})

test('a provider that forgot shares is told of them again', async () => {
  const answers = [3, 1, 3]
  const on = await paying(3, () => answers.shift() ?? 3)
  await on.delivery.deliver(on.provider, signal)
  assert.equal(on.channels.all()[0]?.acknowledged, 3)
  await on.channels.acknowledge(on.channels.all()[0]?.id ?? '0x', 1)
  const delivering = on.delivery.deliver(on.provider, signal)
  await on.clock.advance(1000)
  await delivering
  assert.deepEqual(
    on.requests.map((bytes) => voucherRequest.decode(bytes).shares.length),
    [3, 2, 2],
  )
})

test('a provider that counts what was never paid is asked again only after a pause', async () => {
  const on = await paying(1, () => 999)
  const leave = new AbortController()
  const delivering = on.delivery.deliver(on.provider, leave.signal)
  await on.clock.advance(999)
  assert.equal(on.requests.length, 1)
  await on.clock.advance(1)
  assert.equal(on.requests.length, 2)
  assert.equal(on.channels.all()[0]?.acknowledged, 0)
  leave.abort()
  await delivering
})

test('a delivery that waits for its next attempt makes it at once when it is asked to deliver', async () => {
  const answers = [0, 1]
  const on = await paying(1, () => answers.shift() ?? 1)
  const delivering = on.delivery.deliver(on.provider, signal)
  await on.clock.advance(1)
  assert.equal(on.requests.length, 1)
  await Promise.all([delivering, on.delivery.deliver(on.provider, signal)])
  assert.equal(on.requests.length, 2)
  assert.equal(on.channels.all()[0]?.acknowledged, 1)
})

test('a voucher that a provider did not get is delivered when it is back, and claimed once', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const { requests } = alice.node
  let down = true
  const failing: Requests = {
    answer: (...args) => requests.answer(...args),
    answerStream: (...args) => requests.answerStream(...args),
    stream: (...args) => requests.stream(...args),
    call: async (peer, protocol, ...rest) => {
      if (protocol === 'voucher' && down) throw new HiveError('PEER_UNREACHABLE', { peer })
      return requests.call(peer, protocol, ...rest)
    },
  }
  await using provider = await market.provider(bob)
  {
    await using requester = await market.requester(alice, {}, { requests: failing })
    assert.equal((await oneJob(requester, alice, signal)).state, 'settled')
    assert.equal(requester.channels.all()[0]?.acknowledged, 0)
    assert.equal(provider.earnings.all()[0]?.cumulative, 0n)
  }
  down = false
  await using _ = await market.requester(market.rejoin(alice))
  await claimed(market, TASK_PRICE)
})
