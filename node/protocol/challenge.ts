import {
  CHAIN_STATE_BYTES,
  MAX_CHALLENGE_BLOCKS,
  MAX_CHALLENGE_LANES,
  MAX_CHALLENGE_LINKS,
  MAX_CHALLENGE_SEGMENTS,
  type ChainJob,
  type ChallengeRound,
} from '../domain/challenge.ts'
import type { Bytes32 } from '../domain/ids.ts'
import { fromHex, toBigEndian } from './bytes.ts'
import { sameBytes } from './cbor.ts'
import { randomBelow } from './random.ts'
import { keccak } from './typed-data.ts'

/** What the two kinds of work are told apart by; the first byte under each hash of the seed. */
const WORK = { chain: 0, block: 1 } as const

/** A round with the seed that nobody knew before it was sent. */
export interface SeededRound extends ChallengeRound {
  readonly seed: Bytes32
}

/** What a prover answers: states lane by lane, tags block by block. */
export interface RoundAnswer {
  readonly states: Uint8Array
  readonly tags: Uint8Array
}

/** A piece of an answer to do again, and what should come of it. */
export interface ChosenSegment {
  readonly job: ChainJob
  readonly end: Uint8Array
}

/** Whether a round asks for one kind of work, and for no more than anyone has to do. */
export function isBounded({ lanes, segments, links, blocks }: ChallengeRound): boolean {
  const hasChains = lanes > 0 && segments > 0 && links > 0
  if (lanes > MAX_CHALLENGE_LANES || blocks > MAX_CHALLENGE_BLOCKS) return false
  if (segments > MAX_CHALLENGE_SEGMENTS || links > MAX_CHALLENGE_LINKS) return false
  return blocks > 0 ? lanes === 0 && segments === 0 && links === 0 : hasChains
}

/** Everything that a round of chains asks to do. */
export function chainsOf({ seed, lanes, segments, links }: SeededRound): readonly ChainJob[] {
  return Array.from({ length: lanes }, (_, at) => {
    const lane = derived(seed, WORK.chain, at)
    return { start: lane, lane, first: 0, segments, links }
  })
}

/** What the blocks of a round are filled from. */
export function saltsOf({ seed, blocks }: SeededRound): readonly Uint8Array[] {
  return Array.from({ length: blocks }, (_, at) => derived(seed, WORK.block, at))
}

/** The broken rule of an answer's form, or `undefined`. */
export function formFault(round: SeededRound, { states, tags }: RoundAnswer): string | undefined {
  // [REJECT] challenge R1: it has a state for every segment of every lane, and a tag for every block
  const wanted = round.lanes * round.segments * CHAIN_STATE_BYTES
  const fits = states.byteLength === wanted && tags.byteLength === round.blocks * CHAIN_STATE_BYTES
  return fits ? undefined : 'R1'
}

/** `count` segments of an answer, or all where it has no more, drawn after it came. */
export function drawSegments(
  round: SeededRound,
  { states }: RoundAnswer,
  count: number,
): readonly ChosenSegment[] {
  const total = round.lanes * round.segments
  const drawn = new Set<number>()
  while (drawn.size < Math.min(count, total)) drawn.add(randomBelow(total))
  return [...drawn].map((place) => segmentAt(round, states, place))
}

/** The broken rule, when each drawn segment done again ended in `ends`; or `undefined`. */
export function segmentsFault(
  drawn: readonly ChosenSegment[],
  ends: readonly Uint8Array[],
): string | undefined {
  // [REJECT] challenge R2: each drawn segment leads from the state before it to the state after it
  const fits = drawn.every(({ end }, at) => sameBytes(end, ends[at] ?? new Uint8Array()))
  return fits ? undefined : 'R2'
}

/** The broken rule, when block `at` filled again gave `tag`; or `undefined`. */
export function blockFault(
  { tags }: RoundAnswer,
  at: number,
  tag: Uint8Array | undefined,
): string | undefined {
  // [REJECT] challenge R3: the drawn block was filled from this round's seed
  const told = tags.subarray(at * CHAIN_STATE_BYTES, (at + 1) * CHAIN_STATE_BYTES)
  return tag !== undefined && sameBytes(told, tag) ? undefined : 'R3'
}

function segmentAt(round: SeededRound, states: Uint8Array, place: number): ChosenSegment {
  const { segments, links, seed } = round
  const lane = derived(seed, WORK.chain, Math.floor(place / segments))
  const first = place % segments
  const state = (at: number) =>
    states.subarray(at * CHAIN_STATE_BYTES, (at + 1) * CHAIN_STATE_BYTES)
  const start = first === 0 ? lane : state(place - 1)
  return { job: { start, lane, first, segments: 1, links }, end: state(place) }
}

function derived(seed: Bytes32, work: number, at: number): Uint8Array {
  const message = Uint8Array.from([work, ...toBigEndian(BigInt(at), 4), ...fromHex(seed)])
  return fromHex(keccak(message))
}
