import { KiB, MiB } from './units.ts'

/**
 * What one link of a chain hashes, bytes: long enough that a machine with its own SHA-256 code gains
 * a tenth at most over one that calls a library for each.
 */
export const CHAIN_BLOCK_BYTES: number = 16 * KiB
/** A SHA-256. */
export const CHAIN_STATE_BYTES = 32
/** Most chains at once; of a larger machine as many cores are tried. Source: docs/limits.md. */
export const MAX_CHALLENGE_LANES = 64
/** Segments of a chain. */
export const MAX_CHALLENGE_SEGMENTS = 12
/** Links of a segment; 12 segments of it take about half a second. */
export const MAX_CHALLENGE_LINKS = 2_500
/** Memory that one block fills, bytes. */
export const CHALLENGE_MEMORY_BYTES: number = 256 * MiB
/** Most blocks at once: who checks one has to fill it too. */
export const MAX_CHALLENGE_BLOCKS = 4

/** What a round asks for: chains of hashes on some cores, or blocks of memory filled. */
export interface ChallengeRound {
  readonly lanes: number
  readonly segments: number
  readonly links: number
  readonly blocks: number
}

/** A piece of a chain of hashes. */
export interface ChainJob {
  /** The state before the first link. */
  readonly start: Uint8Array
  /** The chain that it is a piece of; hashed with every link. */
  readonly lane: Uint8Array
  /** Number of its first segment; hashed with every link. */
  readonly first: number
  readonly segments: number
  /** Links in each segment. */
  readonly links: number
}

/** What a node says that it has. */
export interface ChallengeClaim {
  readonly cores: number
  /** Where it is told, that many are expected: two threads of one core are not two cores. */
  readonly physicalCores?: number
  readonly memoryBytes: number
}

/** What was timed by the one who asked; the way there and back is in every time. */
export interface ChallengeTimes {
  /** One chain, ms. */
  readonly oneLaneMs: number
  /** `lanes` chains of the same length at once, ms. */
  readonly allLanesMs: number
  readonly lanes: number
}

/** Part of the claimed cores that must show up: clocks fall when all are busy, and others may be too. */
const TOLERANCE = 0.7

/** Cores that worked at the same time. */
export function coresShown({ oneLaneMs, allLanesMs, lanes }: ChallengeTimes): number {
  return allLanesMs <= 0 ? 0 : Math.min(lanes, (lanes * oneLaneMs) / allLanesMs)
}

/** Whether the cores that were tried showed up. */
export function showsClaim(claim: ChallengeClaim, times: ChallengeTimes): boolean {
  const { cores, physicalCores = cores } = claim
  const expected = Math.min(times.lanes, Math.max(1, physicalCores))
  return coresShown(times) >= TOLERANCE * expected
}

/** Chains to ask for at once: one for each claimed core. */
export function lanesFor({ cores }: ChallengeClaim): number {
  return Math.max(1, Math.min(MAX_CHALLENGE_LANES, Math.floor(cores)))
}

/** Blocks to ask for at once: one for each claimed GiB, as far as it goes. */
export function blocksFor({ memoryBytes }: ChallengeClaim): number {
  const gibibytes = Math.floor(memoryBytes / (1024 * MiB))
  return Math.max(0, Math.min(MAX_CHALLENGE_BLOCKS, gibibytes))
}
