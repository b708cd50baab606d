import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  afterBeat,
  heartbeatFault,
  isPulse,
  noBeats,
  ownTime,
  type BeatContext,
  type BeatState,
  type Heartbeat,
} from '../../../node/domain/heartbeat.ts'
import { MAX_CLOCK_SKEW_MS } from '../../../node/domain/offer.ts'
import { minute, second } from '../../../node/domain/units.ts'
import { aHeartbeat, bytes32Of, NOW } from '../../support/messages.ts'
import { ZERO_BYTES32 } from '../../../node/domain/ids.ts'

const EVERY = 10 * second

function told(
  beat: Partial<Heartbeat> = {},
  context: Partial<BeatContext> = {},
): ReturnType<typeof heartbeatFault> {
  return heartbeatFault(aHeartbeat(beat), {
    state: noBeats(EVERY, NOW - EVERY),
    payEveryMs: EVERY,
    agreement: bytes32Of('a9'),
    digest: ZERO_BYTES32,
    now: NOW,
    ...context,
  })
}

const rule = (beat: Partial<Heartbeat>, context: Partial<BeatContext> = {}) =>
  told(beat, context)?.rule

test('heartbeat: the first one, after an interval of own time, holds', () => {
  assert.equal(told(), undefined)
})

test('heartbeat: one heard before is ignored, whatever it says', () => {
  const state = { ...noBeats(EVERY, NOW - EVERY), beats: 1 }
  assert.deepEqual(told({ elapsedMs: 99 }, { state }), { rule: 'R2', verdict: 'ignore' })
})

test('heartbeat: one that overtakes another is refused', () => {
  assert.deepEqual(told({ seq: 2, elapsedMs: 20 * second }), { rule: 'R3', verdict: 'reject' })
})

test('heartbeat: one about another agreement is refused', () => {
  assert.equal(rule({ agreement: bytes32Of('aa') }), 'R4')
})

test('heartbeat: it ends its interval to the millisecond; only a closing one is within it', () => {
  assert.equal(rule({ elapsedMs: EVERY - 1 }), 'R5')
  assert.equal(rule({ elapsedMs: EVERY + 1 }), 'R5')
  assert.equal(rule({ elapsedMs: 1, closing: true }), undefined)
  assert.equal(rule({ elapsedMs: 0, closing: true }), undefined)
  assert.equal(rule({ elapsedMs: EVERY + 1, closing: true }), 'R5')
})

test('heartbeat: time that has not passed here is not paid', () => {
  const early = { state: noBeats(EVERY, NOW - EVERY / 2) }
  assert.equal(rule({}, early), 'R6')
  assert.equal(rule({ closing: true, elapsedMs: EVERY / 2 }, early), undefined)
})

test('heartbeat: one dated before the last, or ahead of the clock, is refused', () => {
  const state = { ...noBeats(EVERY, NOW - EVERY), at: NOW + 1 }
  assert.equal(rule({}, { state }), 'R7')
  assert.equal(rule({ at: NOW + MAX_CLOCK_SKEW_MS }), undefined)
  assert.equal(rule({ at: NOW + MAX_CLOCK_SKEW_MS + 1 }), 'R7')
})

test('heartbeat: one over other output than was told is refused', () => {
  assert.equal(rule({ digest: bytes32Of('01') }), 'R8')
})

test('an hour of silence is worth two intervals at most', () => {
  let state: BeatState = noBeats(EVERY, NOW)
  let now = NOW + 60 * minute
  let paid = 0
  for (let seq = 1; ; seq++, now++) {
    const beat = aHeartbeat({ seq, elapsedMs: seq * EVERY, at: NOW + seq })
    if (told(beat, { state, now }) !== undefined) break
    state = afterBeat(state, beat, EVERY, now)
    paid += EVERY
  }
  assert.equal(paid, 2 * EVERY)
})

test('over any arrivals, paid time is within 2 % and a quarter interval of the time that passed', () => {
  let seed = 7
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let run = 0; run < 50; run++) {
    let state = noBeats(EVERY, NOW)
    let now = NOW
    for (let step = 0; step < 200; step++) {
      now += Math.floor(random() * 2 * EVERY)
      const seq = state.beats + 1
      const beat = aHeartbeat({ seq, elapsedMs: seq * EVERY, at: state.at + 1 })
      if (told(beat, { state, now }) === undefined) state = afterBeat(state, beat, EVERY, now)
      assert.ok(state.elapsedMs <= (now - NOW) * 1.02 + EVERY / 4)
      assert.ok(ownTime(state, EVERY, now) >= 0)
    }
  }
})

test('a provider whose clock is 1 % fast loses no pay by that over a day', () => {
  let state = noBeats(EVERY, NOW)
  for (let seq = 1; seq <= 8640; seq++) {
    const now = NOW + Math.floor(seq * EVERY * 0.99)
    const beat = aHeartbeat({ seq, elapsedMs: seq * EVERY, at: NOW - 1e9 + seq })
    assert.equal(rule(beat, { state, now }), undefined)
    state = afterBeat(state, beat, EVERY, now)
  }
})

test('heartbeat: of a share that is not paid by the second, it is about that share and its output, whatever the time', () => {
  const context = { share: bytes32Of('a9'), digest: ZERO_BYTES32 }
  const fits = (beat: Partial<Heartbeat>) => isPulse(aHeartbeat(beat), context)
  assert.equal(fits({}), true)
  assert.equal(fits({ seq: 40, elapsedMs: 7, at: NOW - 60 * minute }), true)
  assert.equal(fits({ at: NOW + 60 * minute }), true)
  assert.equal(fits({ agreement: bytes32Of('aa') }), false)
  assert.equal(fits({ digest: bytes32Of('d1') }), false)
  assert.equal(fits({ closing: true }), false)
})
