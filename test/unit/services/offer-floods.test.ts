import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Offer } from '../../../node/domain/offer.ts'
import { GiB, minute } from '../../../node/domain/units.ts'
import type { Gossip, GossipHandler } from '../../../node/ports/gossip.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import type { Signed } from '../../../node/protocol/envelope.ts'
import { bidRequest } from '../../../node/protocol/requests.ts'
import { Booking } from '../../../node/services/provider/booking.ts'
import { Intake } from '../../../node/services/provider/intake.ts'
import {
  MAX_ANSWERS_UNDER_WAY,
  MAX_OFFERS_PER_MINUTE,
} from '../../../node/services/provider/intake-limits.ts'
import { admissionOf } from '../../../node/services/provider/policy-options.ts'
import { RecentMap } from '../../../node/services/provider/recent-map.ts'
import { PaceBook } from '../../../node/services/provider/pace-book.ts'
import { Slots } from '../../../node/services/provider/slots.ts'
import type { Signing } from '../../../node/services/signing.ts'
import { FakeMachineState } from '../../support/fake-machine-state.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { anOffer } from '../../support/messages.ts'
import { NETWORK, TASK_PRICE, TestMarket, TOKEN, type Member } from '../../support/test-market.ts'

/** An intake whose mesh is the test: it hands offers in, hears the verdict, and sees what is signed and sent. */
function hearing(call: Requests['call'] = async () => new Uint8Array()) {
  const market = new TestMarket()
  const member = market.member()
  const clock = new ManualClock()
  const counts = { signed: 0, sent: 0, bids: 0 }
  let handler: GossipHandler = () => 'reject'
  const gossip: Gossip = {
    subscribe: (_topic, _options, added) => (handler = added),
    publish: async () => [],
    listeners: () => 0,
  }
  const parts = market.parts(member)
  const signing: Signing = {
    ...parts.signing,
    seal: (...args) => {
      counts.signed += 1
      return parts.signing.seal(...args)
    },
  }
  const requests: Pick<Requests, 'answer' | 'call'> = {
    answer: () => {},
    call: async (...args) => {
      counts.sent += 1
      if (bidRequest.decode(args[2]).bid !== undefined) counts.bids += 1
      return call(...args)
    },
  }
  const slots = new Slots(clock, { cpuMillis: 2000, memoryBytes: 2 * GiB, diskBytes: 2 * GiB })
  const admission = admissionOf(
    { clock, slots, machine: new FakeMachineState(clock) },
    {
      kinds: ['wasm'],
      pricing: 'posted',
      prices: { perTask: TASK_PRICE, perCoreSecond: 0n, perGpuSecond: 0n, reservedSecondsCap: 60 },
      maxQueue: 1,
    },
  )
  const intake = new Intake(
    {
      ...parts,
      clock,
      gossip,
      signing,
      requests: requests as Requests,
      images: { has: async () => false },
      booking: new Booking({ clock, slots, pace: new PaceBook(clock) }, 1),
      admission,
    },
    { network: NETWORK, groups: ['wasm'], bond: TOKEN },
  )
  intake.listen(new AbortController().signal)
  let nonce = 0n
  const offer = ({ signing: by }: Member, changes: Partial<Offer> = {}): Signed<'Offer'> => {
    const [requester, issuedAt] = [by.address, clock.now()]
    const times = { issuedAt, bidsUntil: issuedAt + minute }
    const message = { requester, nonce: ++nonce, network: NETWORK, maxPrice: TOKEN, ...times }
    return by.seal('Offer', anOffer({ ...message, ...changes }))
  }
  const hear = async (from: Member, times: number) => {
    const verdicts = new Map<string, number>()
    for (let time = 0; time < times; time++) {
      const verdict = await handler(offer(from).bytes)
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
    }
    return Object.fromEntries(verdicts)
  }
  return {
    market,
    clock,
    counts,
    intake,
    offer,
    judge: (bytes: Uint8Array) => handler(bytes),
    hear,
  }
}

test('offers R8: a requester’s offers beyond its minute’s share are ignored, and nothing is signed for them', async () => {
  const on = hearing()
  const [alice, carol] = [on.market.member(), on.market.member()]
  assert.deepEqual(await on.hear(alice, MAX_OFFERS_PER_MINUTE), { accept: MAX_OFFERS_PER_MINUTE })
  await on.intake.settled()
  assert.deepEqual(await on.hear(alice, 3), { ignore: 3 })
  await on.intake.settled()
  const answered = { signed: 2 * MAX_OFFERS_PER_MINUTE, sent: MAX_OFFERS_PER_MINUTE }
  assert.deepEqual(on.counts, { ...answered, bids: MAX_OFFERS_PER_MINUTE })
  assert.deepEqual(await on.hear(carol, 1), { accept: 1 })
  await on.clock.advance(minute)
  assert.deepEqual(await on.hear(alice, 1), { accept: 1 })
  await on.intake.settled()
})

test('offers R8: what breaks another rule does not count against the requester it names', async () => {
  const on = hearing()
  const [alice, mallory] = [on.market.member(), on.market.member()]
  const { address } = alice.signing
  for (let time = 0; time <= MAX_OFFERS_PER_MINUTE; time++)
    assert.equal(await on.judge(on.offer(mallory, { requester: address }).bytes), 'reject')
  assert.deepEqual(await on.hear(alice, 1), { accept: 1 })
  await on.intake.settled()
})

test('offers beyond the answers under way are passed on and not answered, until one has ended', async () => {
  const ends: (() => void)[] = []
  const on = hearing(async () => {
    await new Promise<void>((resolve) => ends.push(resolve))
    return new Uint8Array()
  })
  const requesters = [on.market.member(), on.market.member()]
  for (const each of requesters) {
    const half = MAX_ANSWERS_UNDER_WAY / 2
    assert.deepEqual(await on.hear(each, half), { accept: half })
  }
  const late = on.market.member()
  assert.deepEqual(await on.hear(late, 2), { accept: 2 })
  await on.clock.advance(0)
  assert.equal(on.counts.sent, MAX_ANSWERS_UNDER_WAY)
  assert.equal(on.counts.signed, 2 * MAX_ANSWERS_UNDER_WAY)
  ends[0]?.()
  await on.clock.advance(0)
  assert.deepEqual(await on.hear(late, 1), { accept: 1 })
  await on.clock.advance(0)
  assert.equal(on.counts.sent, MAX_ANSWERS_UNDER_WAY + 1)
  for (const end of ends) end()
  await on.intake.settled()
})

test('a map of recent things forgets the oldest: those past their time, and those beyond its room', () => {
  const recent = new RecentMap<string, number>({ keepMs: 10, max: 4 })
  const kept = () => ['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => recent.get(key) !== undefined)
  recent.set('a', 1, 0)
  recent.set('b', 2, 9)
  recent.set('c', 3, 10)
  assert.deepEqual(kept(), ['a', 'b', 'c'])
  recent.set('a', 4, 11)
  assert.deepEqual([recent.get('a'), recent.size], [4, 3])
  recent.set('d', 5, 12)
  assert.deepEqual(kept(), ['a', 'c', 'd'])
  recent.set('e', 6, 22)
  assert.deepEqual(kept(), ['d', 'e'])
  recent.set('f', 7, 1000)
  assert.deepEqual(kept(), ['e', 'f'])
})

test('a map of recent things never holds more than it has room for, and always the later half', () => {
  const recent = new RecentMap<number, number>({ keepMs: minute, max: 100 })
  for (let key = 0; key < 1000; key++) {
    recent.set(key, key, key)
    assert.ok(recent.size <= 100)
    assert.equal(recent.get(Math.max(0, key - 49)), Math.max(0, key - 49))
  }
  assert.equal(recent.get(899), undefined)
})
