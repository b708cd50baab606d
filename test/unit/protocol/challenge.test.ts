import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runChain } from '../../../node/adapters/system/measuring/chain.ts'
import {
  blockFault,
  chainsOf,
  drawSegments,
  formFault,
  isBounded,
  saltsOf,
  segmentsFault,
  type RoundAnswer,
  type SeededRound,
} from '../../../node/protocol/challenge.ts'
import { bytes32Of } from '../../support/messages.ts'

const ROUND: SeededRound = { seed: bytes32Of('a1'), lanes: 3, segments: 4, links: 2, blocks: 0 }
const EVERY: number = ROUND.lanes * ROUND.segments
const NO_TAGS = new Uint8Array()

function honest(round: SeededRound): RoundAnswer {
  return { states: Buffer.concat(chainsOf(round).map(runChain)), tags: NO_TAGS }
}

/** The answer with the state at `place` changed. */
function changed(answer: RoundAnswer, place: number, state: Uint8Array): RoundAnswer {
  const states = Buffer.from(answer.states)
  states.set(state, place * 32)
  return { ...answer, states }
}

/** Does every segment again. */
function verified(round: SeededRound, answer: RoundAnswer): string | undefined {
  const form = formFault(round, answer)
  if (form !== undefined) return form
  const drawn = drawSegments(round, answer, EVERY)
  const ends = drawn.map(({ job }) => runChain(job))
  return segmentsFault(drawn, ends)
}

test('challenge: the answer of who did the work holds', () => {
  assert.equal(verified(ROUND, honest(ROUND)), undefined)
})

test('challenge: a skipped segment, the state before it sent twice, is found', () => {
  const answer = honest(ROUND)
  assert.equal(verified(ROUND, changed(answer, 2, answer.states.slice(32, 64))), 'R2')
})

test('challenge: one wrong byte in any state is found', () => {
  for (let place = 0; place < EVERY; place += 1)
    assert.equal(verified(ROUND, changed(honest(ROUND), place, Buffer.alloc(32, place))), 'R2')
})

test('challenge: the answer to an older seed is found', () => {
  assert.equal(verified(ROUND, honest({ ...ROUND, seed: bytes32Of('b2') })), 'R2')
})

test('challenge: one chain sent for all lanes is found in every segment of the others', () => {
  const one = honest({ ...ROUND, lanes: 1 }).states
  const answer = { states: Buffer.concat([one, one, one]), tags: NO_TAGS }
  const drawn = drawSegments(ROUND, answer, EVERY)
  const right = drawn.filter(({ job, end }) => Buffer.from(runChain(job)).equals(end))
  assert.equal(right.length, ROUND.segments)
})

test('challenge: a longer chain cut at other places does not do for two lanes', () => {
  // all of lane 0 with half the links: its states and those half way lie on one chain
  const dense = honest({ ...ROUND, lanes: 1, segments: 8, links: 1 }).states
  const shifted = { states: Buffer.concat([dense, dense.subarray(0, 128)]), tags: NO_TAGS }
  assert.equal(verified(ROUND, shifted), 'R2')
  // and a segment of one number is not that of another
  const [chain] = chainsOf(ROUND)
  assert.ok(chain !== undefined)
  const end = (first: number) => runChain({ ...chain, first, segments: 1 })
  assert.notDeepEqual(end(0), end(1))
})

test('challenge: too few states, too many, or tags that nobody asked for are found', () => {
  const { states } = honest(ROUND)
  assert.equal(formFault(ROUND, { states: states.subarray(32), tags: NO_TAGS }), 'R1')
  assert.equal(formFault(ROUND, { states: Buffer.concat([states, states]), tags: NO_TAGS }), 'R1')
  assert.equal(formFault(ROUND, { states, tags: new Uint8Array(32) }), 'R1')
})

test('challenge: what is drawn are different segments, no more than there are', () => {
  const drawn = drawSegments(ROUND, honest(ROUND), 5)
  assert.equal(new Set(drawn.map(({ end }) => Buffer.from(end).toString('hex'))).size, 5)
  assert.equal(drawSegments(ROUND, honest(ROUND), 100).length, EVERY)
})

test('challenge: a block counts only with the tag of its own salt', () => {
  const round = { seed: bytes32Of('a1'), lanes: 0, segments: 0, links: 0, blocks: 2 }
  const [first, second] = saltsOf(round)
  assert.notDeepEqual(first, second)
  assert.notDeepEqual(first, chainsOf(ROUND)[0]?.start)
  const tags = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)])
  const answer = { states: NO_TAGS, tags }
  assert.equal(blockFault(answer, 1, Buffer.alloc(32, 2)), undefined)
  assert.equal(blockFault(answer, 1, Buffer.alloc(32, 1)), 'R3')
  assert.equal(blockFault(answer, 1, undefined), 'R3')
})

test('challenge: a round is one kind of work, and bounded', () => {
  const chains = { lanes: 1, segments: 1, links: 1, blocks: 0 }
  const fills = { lanes: 0, segments: 0, links: 0, blocks: 1 }
  assert.deepEqual([chains, fills].map(isBounded), [true, true])
  const wrong = [
    { ...chains, lanes: 65 },
    { ...chains, segments: 13 },
    { ...chains, links: 2501 },
    { ...chains, links: 0 },
    { ...chains, blocks: 1 },
    { ...fills, blocks: 5 },
    { ...fills, blocks: 0 },
  ]
  assert.deepEqual(wrong.filter(isBounded), [])
})
