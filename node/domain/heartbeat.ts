import type { Bytes32 } from './ids.ts'
import { MAX_CLOCK_SKEW_MS, type Verdict } from './offer.ts'

/** A provider's signed word that a metered share runs: what voucher follows is for the time that it adds. */
export interface Heartbeat {
  /** Id of the agreement about the interval that ends. */
  readonly agreement: Bytes32
  /** Counts the heartbeats of the share from 1. */
  readonly seq: number
  /** Wall time that the share has run in all, ms; times in which its provider was gone are no part of it. */
  readonly elapsedMs: number
  /** Hash chain over the output told so far: the provider cannot tell two. */
  readonly digest: Bytes32
  /** Whether the share has ended: only its receipt follows. */
  readonly closing: boolean
  /** Unix ms. */
  readonly at: number
}

/** What a requester remembers of a share's heartbeats, and of its own clock. */
export interface BeatState {
  /** Heartbeats heard. */
  readonly beats: number
  /** What the last of them told. */
  readonly elapsedMs: number
  readonly at: number
  /** Own clock when {@link BeatState.ownMs} was last counted up, Unix ms. */
  readonly ownAt: number
  /** Own time that passed and that no heartbeat has used up yet, ms. */
  readonly ownMs: number
}

/** What a heartbeat is held against. */
export interface BeatContext {
  readonly state: BeatState
  readonly payEveryMs: number
  /** Agreement about the interval that runs. */
  readonly agreement: Bytes32
  /** Chain over the output that was heard. */
  readonly digest: Bytes32
  /** Unix ms. */
  readonly now: number
}

/** Own time is counted a fiftieth long: clocks differ, and a provider must not lose its pay by that. */
const TOLERANCE_PERCENT = 102
/** Own time without a heartbeat counts up to this many intervals: a late one may catch up, silence is not paid. */
const MAX_SAVED_INTERVALS = 2
/** What a share has to begin with, of an interval: the first word of a start travels too. */
const SAVED_AT_START_PERCENT = 25

/** What is remembered of a share before its first heartbeat. `now` is Unix ms. */
export function noBeats(payEveryMs: number, now: number): BeatState {
  const ownMs = (payEveryMs * SAVED_AT_START_PERCENT) / 100
  return { beats: 0, elapsedMs: 0, at: 0, ownAt: now, ownMs }
}

/** Own time that heartbeats may use up now, ms. */
export function ownTime({ ownAt, ownMs }: BeatState, payEveryMs: number, now: number): number {
  const passed = (Math.max(0, now - ownAt) * TOLERANCE_PERCENT) / 100
  return Math.min(ownMs + passed, MAX_SAVED_INTERVALS * payEveryMs)
}

/** The broken rule of a heartbeat, or `undefined`. */
export function heartbeatFault(
  beat: Heartbeat,
  { state, payEveryMs, agreement, digest, now }: BeatContext,
): { readonly rule: string; readonly verdict: Exclude<Verdict, 'accept'> } | undefined {
  // [IGNORE] heartbeats R2: it was not heard before
  if (beat.seq <= state.beats) return { rule: 'R2', verdict: 'ignore' }
  const reject = (rule: string) => ({ rule, verdict: 'reject' }) as const
  // [REJECT] heartbeats R3: it is the next one
  if (beat.seq !== state.beats + 1) return reject('R3')
  // [REJECT] heartbeats R4: it is about the agreement whose interval runs
  if (beat.agreement !== agreement) return reject('R4')
  // [REJECT] heartbeats R5: it ends exactly that interval; a closing one within it
  const end = beat.seq * payEveryMs
  const fits = beat.closing
    ? beat.elapsedMs >= state.elapsedMs && beat.elapsedMs <= end
    : beat.elapsedMs === end
  if (!fits) return reject('R5')
  // [REJECT] heartbeats R6: the time that it adds has passed here too since the last one, at most two intervals of silence counted
  if (beat.elapsedMs - state.elapsedMs > ownTime(state, payEveryMs, now)) return reject('R6')
  // [REJECT] heartbeats R7: it is not dated before the last one, nor ahead of the clock
  if (beat.at < state.at || beat.at > now + MAX_CLOCK_SKEW_MS) return reject('R7')
  // [REJECT] heartbeats R8: its digest is that of the output told
  if (beat.digest !== digest) return reject('R8')
  return undefined
}

/** What is remembered once a heartbeat was heard. */
export function afterBeat(
  state: BeatState,
  beat: Heartbeat,
  payEveryMs: number,
  now: number,
): BeatState {
  const { seq, elapsedMs, at } = beat
  const ownMs = ownTime(state, payEveryMs, now) - (elapsedMs - state.elapsedMs)
  return { beats: seq, elapsedMs, at, ownAt: now, ownMs }
}

/** Whether a heartbeat fits what was heard of a share that is not paid by the second. */
export function isPulse(
  beat: Heartbeat,
  { share, digest }: { readonly share: Bytes32; readonly digest: Bytes32 },
): boolean {
  // [REJECT] heartbeats R9: of a share that is not paid by the second, it is about that share's agreement, not closing, and its digest is that of the output told
  return beat.agreement === share && beat.digest === digest && !beat.closing
}
