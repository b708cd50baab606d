import {
  blocksFor,
  CHALLENGE_MEMORY_BYTES,
  coresShown,
  CHAIN_BLOCK_BYTES,
  lanesFor,
  MAX_CHALLENGE_LINKS,
  MAX_CHALLENGE_SEGMENTS,
  showsClaim,
  type ChallengeClaim,
  type ChallengeRound,
  type ChallengeTimes,
} from '../../domain/challenge.ts'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { MiB, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Effort, EffortProcess } from '../../ports/effort.ts'
import type { Requests } from '../../ports/requests.ts'
import {
  blockFault,
  drawSegments,
  formFault,
  saltsOf,
  segmentsFault,
  type RoundAnswer,
  type SeededRound,
} from '../../protocol/challenge.ts'
import { randomBelow, randomBytes32 } from '../../protocol/random.ts'
import { proveAnswer, proveRequest, readyRequest, speedRequest } from '../../protocol/requests.ts'

export interface ChallengerParts {
  readonly clock: Clock
  readonly requests: Requests
  readonly effort: Effort
}

export interface ChallengerOptions {
  /** Cores with which answers are checked. */
  readonly cores: number
  /** Links of a segment. @default MAX_CHALLENGE_LINKS */
  readonly links?: number
  /** Whether memory is asked for as well: to check it, as much is needed here. @default true */
  readonly memory?: boolean
}

/** What came of a challenge. */
export interface ChallengeReport {
  readonly peer: PeerId
  readonly claim: ChallengeClaim
  /** `refuted`: an answer was wrong. `less`: all right, but fewer cores worked than are claimed. */
  readonly verdict: 'shown' | 'less' | 'refuted'
  /** The rule of docs/protocol/challenge.md that was broken. */
  readonly brokenRule?: string
  /** Chains that ran at once. */
  readonly lanes: number
  readonly coresShown: number
  readonly hashBytesPerSecond: number
  readonly hashBytesPerSecondAllCores: number
  /** Memory filled at once, and the time that it took; absent where none is claimed or asked for. */
  readonly memory?: { readonly bytes: number; readonly tookMs: number }
  /** One small question and its answer. */
  readonly roundTripMs: number
  /** From the peer to this node. */
  readonly networkBytesPerSecond: number
}

/**
 * Segments of an answer that are done again: all of a single chain; and who left out every second
 * one of many is found out with 4095 in 4096.
 */
export const DRAWN_SEGMENTS = 12
/** Bytes whose way is timed, and for how long at most, ms. */
const SPEED_BYTES: number = 8 * MiB
const SPEED_MS: number = 3 * second

/** An answer, and the time from the question to it. */
interface TimedAnswer {
  readonly round: SeededRound
  readonly answer: RoundAnswer
  readonly tookMs: number
}

/** Finds out whether a peer has what it claims to have: by work that it has to do now, timed here. */
export class Challenger {
  readonly #parts: ChallengerParts
  readonly #options: Required<ChallengerOptions>

  constructor(parts: ChallengerParts, options: ChallengerOptions) {
    this.#parts = parts
    this.#options = { links: MAX_CHALLENGE_LINKS, memory: true, ...options }
  }

  /** Throws CHALLENGE_BUSY where the peer does not take one now, and what `Requests` throws. */
  async challenge(
    peer: PeerId,
    claim: ChallengeClaim,
    signal: AbortSignal,
  ): Promise<ChallengeReport> {
    const { requests, effort } = this.#parts
    const lanes = lanesFor(claim)
    const blocks = this.#options.memory ? blocksFor(claim) : 0
    const roundTripMs = await this.#timed(async () =>
      requests.call(peer, 'advert', new Uint8Array(), { signal }),
    )
    await requests.call(peer, 'challenge', readyRequest.encode({ lanes }), { signal })
    const rounds = await this.#pair(peer, lanes, signal)
    // Somebody else's load for a moment is no reason to doubt a peer: it may try once more.
    if (!showsClaim(claim, timesOf(rounds, lanes)))
      rounds.push(...(await this.#pair(peer, lanes, signal)))
    const filled =
      blocks > 0
        ? await this.#ask(peer, { lanes: 0, segments: 0, links: 0, blocks }, signal)
        : undefined
    const networkBytesPerSecond = await this.#speed(peer, signal)
    // Only now, so that on one machine the two do not take each other's cores.
    await using own = await effort.open(this.#options.cores, { signal })
    let brokenRule: string | undefined
    for (const round of rounds) brokenRule ??= await this.#chainFault(own, round, signal)
    if (filled) brokenRule ??= await this.#memoryFault(own, filled, signal)
    const times = timesOf(rounds, lanes)
    const kept = showsClaim(claim, times) ? 'shown' : 'less'
    return {
      peer,
      claim,
      verdict: brokenRule === undefined ? kept : 'refuted',
      ...(brokenRule !== undefined && { brokenRule }),
      lanes,
      coresShown: coresShown(times),
      hashBytesPerSecond: this.#rate(1, times.oneLaneMs),
      hashBytesPerSecondAllCores: this.#rate(lanes, times.allLanesMs),
      ...(filled && {
        memory: { bytes: blocks * CHALLENGE_MEMORY_BYTES, tookMs: filled.tookMs },
      }),
      roundTripMs,
      networkBytesPerSecond,
    }
  }

  /** One chain, then all. */
  async #pair(peer: PeerId, lanes: number, signal: AbortSignal): Promise<TimedAnswer[]> {
    const one = await this.#ask(peer, { ...this.#chains(), lanes: 1 }, signal)
    return [one, await this.#ask(peer, { ...this.#chains(), lanes }, signal)]
  }

  #chains(): Omit<ChallengeRound, 'lanes'> {
    return { segments: MAX_CHALLENGE_SEGMENTS, links: this.#options.links, blocks: 0 }
  }

  /** A round whose seed is made now: nobody can have begun before. */
  async #ask(peer: PeerId, round: ChallengeRound, signal: AbortSignal): Promise<TimedAnswer> {
    const seeded = { ...round, seed: randomBytes32() }
    const request = proveRequest.encode(seeded)
    let bytes = new Uint8Array()
    const tookMs = await this.#timed(async () => {
      bytes = new Uint8Array(await this.#parts.requests.call(peer, 'prove', request, { signal }))
    })
    return { round: seeded, answer: proveAnswer.decode(bytes), tookMs }
  }

  async #chainFault(
    own: EffortProcess,
    { round, answer }: TimedAnswer,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const fault = formFault(round, answer)
    if (fault !== undefined) return fault
    const drawn = drawSegments(round, answer, DRAWN_SEGMENTS)
    const ends = await own.chains(
      drawn.map(({ job }) => job),
      { signal },
    )
    return segmentsFault(drawn, ends)
  }

  async #memoryFault(
    own: EffortProcess,
    { round, answer }: TimedAnswer,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const fault = formFault(round, answer)
    if (fault !== undefined) return fault
    const at = randomBelow(round.blocks)
    const salts = saltsOf(round).slice(at, at + 1)
    const [tag] = await own.fills(salts, CHALLENGE_MEMORY_BYTES, { signal })
    return blockFault(answer, at, tag)
  }

  async #speed(peer: PeerId, signal: AbortSignal): Promise<number> {
    const { clock, requests } = this.#parts
    const request = speedRequest.encode({ bytes: SPEED_BYTES })
    let bytes = 0
    // The first frame is where the clock starts: what came before it is latency.
    let since = NaN
    for await (const frame of requests.stream(peer, 'speed', request, { signal })) {
      if (Number.isNaN(since)) since = clock.now()
      else bytes += frame.byteLength
      if (bytes > SPEED_BYTES) throw new HiveError('PEER_PROTOCOL', { peer, expected: SPEED_BYTES })
      if (clock.now() - since > SPEED_MS) break
    }
    return (bytes * 1000) / Math.max(1, clock.now() - since)
  }

  async #timed(work: () => Promise<unknown>): Promise<number> {
    const startedAt = this.#parts.clock.now()
    await work()
    return Math.max(1, this.#parts.clock.now() - startedAt)
  }

  #rate(lanes: number, tookMs: number): number {
    const bytes = lanes * MAX_CHALLENGE_SEGMENTS * this.#options.links * CHAIN_BLOCK_BYTES
    return (bytes * 1000) / tookMs
  }
}

/** The best of the times of one chain, which come first in each pair, and of all chains. */
function timesOf(rounds: readonly TimedAnswer[], lanes: number): ChallengeTimes {
  const best = (offset: number) =>
    Math.min(...rounds.filter((_, at) => at % 2 === offset).map(({ tookMs }) => tookMs))
  return { oneLaneMs: best(0), allLanesMs: best(1), lanes }
}
