import { hour } from '../domain/units.ts'
import type { EscrowChannel } from '../ports/escrow.ts'

/**
 * How long what was seen on chain can still be undone, ms: four times what Ethereum takes to make a block final
 * (2 epochs and what is left of a third).
 */
export const BURIED_AFTER_MS: number = 1 * hour

/** Blocks that a reorganised chain may replace without being noticed in time: two epochs of Ethereum. */
export const REORGANISED_BLOCKS = 64

/** Whether what was first seen then, Unix ms, is not undone by a reorganisation any more. */
export function isBuried(seenAt: number | undefined, now: number): boolean {
  return seenAt === undefined || now - seenAt >= BURIED_AFTER_MS
}

/** Whether a channel is closed and nothing is left in it that anybody has to see to. */
export function isOver({ status, bond, requesterCases, providerCases }: EscrowChannel): boolean {
  return status === 'closed' && bond === 0n && requesterCases + providerCases === 0
}
