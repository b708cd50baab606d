import type { Amount } from './money.ts'
import { day } from './units.ts'

/** How far a provider trusts requesters with work that is not paid yet. */
export interface CreditTerms {
  /** For a requester without a history. */
  readonly start: Amount
  /** For the best of them. */
  readonly most: Amount
}

/** What a provider knows of a requester. */
export interface CreditHistory {
  /** Paid by vouchers, on all channels. */
  readonly paid: Amount
  /** Delivered shares that it left unpaid. */
  readonly writtenOff: number
  /** What was owed for them and is not paid still. */
  readonly lost: Amount
  /** What the contract says of it; left out: it was not asked, or did not answer. */
  readonly standing?: Standing
}

/** What the contract remembers of a requester, to everybody. */
export interface Standing {
  /** Cases that it lost. */
  readonly faults: number
  /** Fees ever taken from what it was paid itself; nothing for one that only pays. */
  readonly feesPaid: Amount
  /** How long the contract has known it, ms; 0 for never. */
  readonly knownMs: number
}

/**
 * Delivered shares that a requester may leave unpaid before it gets no more: a lost connection at
 * the wrong moment happens to honest ones too. Source: docs/trust.md.
 */
export const MAX_WRITTEN_OFF = 3
/** How long the contract has to know a requester before that widens its window, ms. Source: docs/protocol/heartbeats.md. */
export const STANDING_AFTER_MS: number = 30 * day

/**
 * Work that a provider risks with a requester: `start`, and as much more as it has paid, so that running away never gains
 * more than `start` over honest trade; with a good {@link Standing} up to twice the `start`. It is halved by each share left unpaid and each
 * case lost, what was lost already is part of it for good, and nothing is left after {@link MAX_WRITTEN_OFF} shares; `most` at most.
 */
export function creditWindow({ start, most }: CreditTerms, history: CreditHistory): Amount {
  const { paid, writtenOff, lost, standing } = history
  if (writtenOff >= MAX_WRITTEN_OFF) return 0n
  const halvings = BigInt(writtenOff + (standing?.faults ?? 0))
  const earned = ((start + standingBonus(start, standing) + paid) >> halvings) - lost
  return least(earned > 0n ? earned : 0n, most)
}

/**
 * What a good record is worth beside the `start`, the `start` at most: what its fees have cost it, and half of the `start`
 * once it is old. Age alone costs a fraud only patience, so it counts for less; nothing counts beside a lost case.
 */
function standingBonus(start: Amount, standing: Standing | undefined): Amount {
  if (standing === undefined || standing.faults > 0) return 0n
  const age = standing.knownMs >= STANDING_AFTER_MS ? start / 2n : 0n
  return least(standing.feesPaid + age, start)
}

/** Whether `more` may be added to what is unpaid. */
export function hasCredit(window: Amount, unpaid: Amount, more: Amount): boolean {
  return unpaid + more <= window
}

function least(a: Amount, b: Amount): Amount {
  return a < b ? a : b
}
