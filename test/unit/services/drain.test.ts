import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import { minute, second } from '../../../node/domain/units.ts'
import type { Clock } from '../../../node/ports/clock.ts'
import type { Requests } from '../../../node/ports/requests.ts'
import { drained } from '../../../node/services/provider/drain.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { oneJob, TestMarket, type Member } from '../../support/test-market.ts'

const { signal } = new AbortController()

/** A drain of a provider under way, whose shares and followers a test counts. */
function draining(underWay: number, following: number, stop: AbortSignal = signal) {
  const clock = new ManualClock()
  const count = { underWay, following }
  const seen: string[] = []
  const parts = {
    clock,
    underWay: () => count.underWay,
    following: () => count.following,
    end: () => void seen.push('ended'),
    interrupt: () => void seen.push('interrupted'),
  }
  void drained(parts, minute, stop).then(() => seen.push('drained'))
  return { clock, count, seen }
}

test('drain: with nothing under way and nobody listening it is over at once', async () => {
  const on = draining(0, 0)
  await on.clock.advance(0)
  assert.deepEqual(on.seen, ['ended', 'interrupted', 'drained'])
})

test('drain: it waits for the shares under way, then until everybody has heard how they ended', async () => {
  const on = draining(2, 1)
  await on.clock.advance(30 * second)
  assert.deepEqual(on.seen, [])
  on.count.underWay = 0
  await on.clock.advance(second)
  assert.deepEqual(on.seen, ['ended', 'interrupted'])
  on.count.following = 0
  await on.clock.advance(second)
  assert.deepEqual(on.seen, ['ended', 'interrupted', 'drained'])
})

test('drain: what is not over in its time ends with what it has, or is given up, and a follower that does not leave is not waited for long', async () => {
  const on = draining(1, 1)
  await on.clock.advance(minute)
  assert.deepEqual(on.seen, ['ended'])
  await on.clock.advance(10 * second)
  assert.deepEqual(on.seen, ['ended', 'interrupted'])
  await on.clock.advance(2 * second)
  assert.deepEqual(on.seen, ['ended', 'interrupted', 'drained'])
})

test('drain: told to hurry it gives up what is under way, and still has it heard', async () => {
  const hurry = new AbortController()
  const on = draining(1, 1, hurry.signal)
  await on.clock.advance(second)
  hurry.abort(new Error('asked twice'))
  await on.clock.advance(0)
  assert.deepEqual(on.seen, ['interrupted'])
  on.count.following = 0
  await on.clock.advance(second)
  assert.deepEqual(on.seen, ['interrupted', 'drained'])
})

/** A requester that starts with a voucher which its provider has not acknowledged; a test says how it does. */
async function owing(deliver: () => Promise<void>) {
  const market = new TestMarket()
  const alice = market.member()
  const provider = await market.provider(market.member())
  const life = async (member: Member, onVoucher: () => Promise<void>, clock?: Clock) => {
    const { requests } = member.node
    const own: Requests = {
      answer: (...args) => requests.answer(...args),
      answerStream: (...args) => requests.answerStream(...args),
      stream: (...args) => requests.stream(...args),
      call: async (to, protocol, ...rest) => {
        if (protocol === 'voucher') await onVoucher()
        return requests.call(to, protocol, ...rest)
      },
    }
    return market.requester(member, {}, { requests: own, ...(clock && { clock }) })
  }
  const unreachable = async () => Promise.reject(new HiveError('PEER_UNREACHABLE'))
  await using before = await life(alice, unreachable)
  await oneJob(before, alice, signal)
  const clock = new ManualClock(Date.now())
  const requester = await life(market.rejoin(alice), deliver, clock)
  return {
    clock,
    requester,
    [Symbol.asyncDispose]: async () => {
      await requester[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
    },
  }
}

test('drain: a requester stays until its voucher is acknowledged', async () => {
  const acknowledge = Promise.withResolvers<void>()
  await using on = await owing(async () => acknowledge.promise)
  let isOver = false
  const draining = on.requester.drain(signal).then(() => (isOver = true))
  await on.clock.advance(second)
  assert.equal(isOver, false)
  acknowledge.resolve()
  await on.clock.advance(second)
  await draining
  assert.ok(on.requester.channels.all().every(({ acknowledged, jobs }) => acknowledged === jobs))
})

test('drain: a requester whose provider is away stays for a few seconds and no more, or goes when told to hurry', async () => {
  await using on = await owing(async () => Promise.reject(new HiveError('PEER_UNREACHABLE')))
  const hurry = new AbortController()
  const draining = on.requester.drain(hurry.signal)
  hurry.abort(new Error('asked twice'))
  await draining
  const slow = on.requester.drain(signal)
  await on.clock.advance(3 * second)
  await slow
  const [channel] = on.requester.channels.all()
  assert.deepEqual([channel?.jobs, channel?.acknowledged], [1, 0])
})

test('drain: a requester that owes no voucher goes at once', async () => {
  const market = new TestMarket()
  await using requester = await market.requester(market.member())
  await requester.drain(signal)
})
