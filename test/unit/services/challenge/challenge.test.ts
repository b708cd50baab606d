import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effortProcesses } from '../../../../node/adapters/system/effort-processes.ts'
import { systemClock } from '../../../../node/adapters/system/system-clock.ts'
import type { ChallengeClaim } from '../../../../node/domain/challenge.ts'
import { HiveError } from '../../../../node/domain/errors.ts'
import { GiB, hour } from '../../../../node/domain/units.ts'
import type { Clock } from '../../../../node/ports/clock.ts'
import type { Effort } from '../../../../node/ports/effort.ts'
import { MAX_SPEED_BYTES } from '../../../../node/protocol/limits.ts'
import {
  proveAnswer,
  proveRequest,
  readyRequest,
  speedRequest,
} from '../../../../node/protocol/requests.ts'
import { Challenger } from '../../../../node/services/challenge/challenger.ts'
import {
  CHALLENGES_PER_HOUR,
  CHALLENGE_ROUNDS,
  Prover,
  READY_MS,
} from '../../../../node/services/challenge/prover.ts'
import { collect } from '../../../support/collect.ts'
import { FakeEffort } from '../../../support/fake-effort.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { bytes32Of } from '../../../support/messages.ts'
import { TestMarket, type Member } from '../../../support/test-market.ts'

const { signal } = new AbortController()
const CLAIM: ChallengeClaim = { cores: 4, memoryBytes: 2 * GiB }
const ROUND = { seed: bytes32Of('a1'), lanes: 1, segments: 1, links: 1, blocks: 0 }

/** Who asks, and a prover with an idle machine. */
function open(effort: Effort, clock: Clock) {
  const market = new TestMarket()
  const [asking, proving] = [market.member(), market.member()]
  const use = { idle: true }
  proving.node.requests.answer('advert', async () => new Uint8Array())
  const prover = new Prover({
    ...market.parts(proving),
    clock,
    effort,
    isIdle: () => use.idle,
  })
  prover.start()
  return { market, asking, proving, prover, use }
}

function challengerOf(member: Member, clock: Clock, effort: Effort = new FakeEffort()) {
  const { requests } = member.node
  return new Challenger({ clock, requests, effort }, { cores: 2, links: 2 })
}

/** A direct call. */
function callOf({ node }: Member, peer: string) {
  return async (name: 'challenge' | 'prove', bytes: Uint8Array) =>
    node.requests.call(peer, name, bytes, { signal })
}

const busy = { code: 'CHALLENGE_BUSY' }

test('challenge: a machine with all its cores shows them, and its memory', async () => {
  const clock = new ManualClock()
  const machine = new FakeEffort({ cores: 4, clock, chainMs: 500 })
  const { asking, proving, prover } = open(machine, clock)
  await using _prover = prover
  const report = await challengerOf(asking, clock).challenge(proving.signing.peer, CLAIM, signal)
  assert.equal(report.verdict, 'shown')
  assert.deepEqual([report.lanes, report.coresShown], [4, 4])
  assert.deepEqual(report.memory, { bytes: GiB / 2, tookMs: 500 })
  assert.ok(report.networkBytesPerSecond > 0)
})

test('challenge: a machine with half of the claimed cores shows half', async () => {
  const clock = new ManualClock()
  const machine = new FakeEffort({ cores: 2, clock, chainMs: 500 })
  const { asking, proving, prover } = open(machine, clock)
  await using _prover = prover
  const report = await challengerOf(asking, clock).challenge(proving.signing.peer, CLAIM, signal)
  assert.deepEqual([report.verdict, report.coresShown], ['less', 2])
})

test('challenge: somebody else’s load for a moment does not make a machine smaller', async () => {
  const clock = new ManualClock()
  const machine = new FakeEffort({ cores: 4, clock, chainMs: 500 })
  let calls = 0
  const disturbed: Effort = {
    open: async (lanes, options) => {
      const process = await machine.open(lanes, options)
      const chains: typeof process.chains = async (jobs, call) => {
        if (++calls === 2) await clock.advance(3000)
        return process.chains(jobs, call)
      }
      return { ...process, chains }
    },
  }
  const { asking, proving, prover } = open(disturbed, clock)
  await using _prover = prover
  const report = await challengerOf(asking, clock).challenge(proving.signing.peer, CLAIM, signal)
  assert.deepEqual([report.verdict, report.coresShown, calls], ['shown', 4, 4])
})

test('challenge: a real machine that works with one thread for eight is less than it claims', async () => {
  const single: Effort = { open: async (_lanes, options) => effortProcesses.open(1, options) }
  const { asking, proving, prover } = open(single, systemClock)
  await using _prover = prover
  const { requests } = asking.node
  const parts = { clock: systemClock, requests, effort: effortProcesses }
  const challenger = new Challenger(parts, { cores: 2, links: 200, memory: false })
  const claim = { cores: 8, memoryBytes: GiB }
  const report = await challenger.challenge(proving.signing.peer, claim, signal)
  assert.equal(report.verdict, 'less')
  assert.ok(report.coresShown < 4, String(report.coresShown))
})

for (const [what, cheat, rule] of [
  ['sends noise', (states: Uint8Array) => states.fill(7), 'R2'],
  ['answers with what it knew before', () => known, 'R2'],
  ['sends nothing', () => new Uint8Array(), 'R1'],
] as const) {
  test(`challenge: a peer that ${what} is refuted`, async () => {
    const clock = new ManualClock()
    const market = new TestMarket()
    const [asking, proving] = [market.member(), market.member()]
    const { requests } = proving.node
    requests.answer('advert', async () => new Uint8Array())
    requests.answer('challenge', async () => new Uint8Array())
    requests.answer('prove', async (_from, bytes) => {
      const { lanes, segments, blocks } = proveRequest.decode(bytes)
      const states = cheat(new Uint8Array(lanes * segments * 32))
      return proveAnswer.encode({ states, tags: new Uint8Array(blocks * 32) })
    })
    requests.answerStream('speed', async function* () {})
    const { peer } = proving.signing
    const report = await challengerOf(asking, clock).challenge(peer, CLAIM, signal)
    assert.deepEqual([report.verdict, report.brokenRule], ['refuted', rule])
  })
}
const known = new Uint8Array(12 * 32).fill(1)

test('challenge: a peer that runs tasks, and one whose tasks come meanwhile, is busy', async () => {
  const clock = new ManualClock()
  const machine = new FakeEffort()
  const { asking, proving, prover, use } = open(machine, clock)
  await using _prover = prover
  const call = callOf(asking, proving.signing.peer)
  use.idle = false
  await assert.rejects(call('challenge', readyRequest.encode({ lanes: 1 })), busy)
  use.idle = true
  await call('challenge', readyRequest.encode({ lanes: 1 }))
  use.idle = false
  await assert.rejects(call('prove', proveRequest.encode(ROUND)), busy)
  await clock.advance(0)
  assert.equal(machine.running, 0)
})

test('challenge: one at a time, for the peer that began it, and over when it is not asked', async () => {
  const clock = new ManualClock()
  const machine = new FakeEffort()
  const { market, asking, proving, prover } = open(machine, clock)
  await using _prover = prover
  const { peer } = proving.signing
  const [call, other] = [callOf(asking, peer), callOf(market.member(), peer)]
  await call('challenge', readyRequest.encode({ lanes: 1 }))
  await assert.rejects(other('challenge', readyRequest.encode({ lanes: 1 })), busy)
  await assert.rejects(other('prove', proveRequest.encode(ROUND)), busy)
  await clock.advance(READY_MS - 1)
  await call('prove', proveRequest.encode(ROUND))
  await clock.advance(READY_MS)
  assert.equal(prover.busy, false)
  assert.equal(machine.running, 0)
  await assert.rejects(call('prove', proveRequest.encode(ROUND)), busy)
})

test('challenge: so many rounds and no more, so many an hour and no more', async () => {
  const clock = new ManualClock()
  const { market, proving, prover } = open(new FakeEffort(), clock)
  await using _prover = prover
  for (let begun = 0; begun < CHALLENGES_PER_HOUR; begun += 1) {
    const call = callOf(market.member(), proving.signing.peer)
    await call('challenge', readyRequest.encode({ lanes: 1 }))
    for (let round = 0; round < CHALLENGE_ROUNDS; round += 1)
      await call('prove', proveRequest.encode(ROUND))
    await assert.rejects(call('prove', proveRequest.encode(ROUND)), busy)
    await clock.advance(READY_MS)
  }
  const late = callOf(market.member(), proving.signing.peer)
  await assert.rejects(late('challenge', readyRequest.encode({ lanes: 1 })), busy)
  await clock.advance(hour)
  await late('challenge', readyRequest.encode({ lanes: 1 }))
})

test('challenge: what asks for more than anyone has to do is refused, not begun', async () => {
  const clock = new ManualClock()
  const { asking, proving, prover } = open(new FakeEffort(), clock)
  await using _prover = prover
  const malformed = { code: 'MESSAGE_MALFORMED' }
  const call = callOf(asking, proving.signing.peer)
  for (const lanes of [0, 65])
    await assert.rejects(call('challenge', readyRequest.encode({ lanes })), malformed)
  await call('challenge', readyRequest.encode({ lanes: 1 }))
  for (const wrong of [{ lanes: 2 }, { links: 2501 }, { blocks: 1 }])
    await assert.rejects(call('prove', proveRequest.encode({ ...ROUND, ...wrong })), malformed)
  const stream = async (bytes: number) =>
    collect(
      asking.node.requests.stream(proving.signing.peer, 'speed', speedRequest.encode({ bytes }), {
        signal,
      }),
    )
  await assert.rejects(stream(MAX_SPEED_BYTES + 1), malformed)
  const sent = (await stream(200_000)).reduce((sum, frame) => sum + frame.byteLength, 0)
  assert.equal(sent, 200_000)
  // it was the last of this challenge
  await assert.rejects(stream(1), busy)
  await clock.advance(0)
  assert.equal(prover.busy, false)
})

test('challenge: a machine that fails is told, and stands ready no longer', async () => {
  const clock = new ManualClock()
  const failing: Effort = {
    open: async () => ({
      chains: async () => Promise.reject(new HiveError('BENCHMARK_FAILED')),
      fills: async () => [],
      [Symbol.asyncDispose]: async () => undefined,
    }),
  }
  const { asking, proving, prover } = open(failing, clock)
  await using _prover = prover
  const call = callOf(asking, proving.signing.peer)
  await call('challenge', readyRequest.encode({ lanes: 1 }))
  await assert.rejects(call('prove', proveRequest.encode(ROUND)), { code: 'BENCHMARK_FAILED' })
  await clock.advance(0)
  assert.equal(prover.busy, false)
})
