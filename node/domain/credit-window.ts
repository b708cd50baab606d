import type { Amount } from './money.ts'

/** How far a provider trusts requesters with work that is not paid yet. */
export interface CreditTerms {
  /** For a requester without a history. */
  readonly start: Amount
  /** For the best of them. */
  readonly most: Amount
}

/** What a provider knows of a requester from its own records. */
export interface CreditHistory {
  /** Paid by vouchers, on all channels. */
  readonly paid: Amount
  /** Delivered shares that it left unpaid. */
  readonly writtenOff: number
}

/**
 * Delivered shares that a requester may leave unpaid before it gets no more: a lost connection at
 * the wrong moment happens to honest ones too. Source: docs/trust.md.
 */
export const MAX_WRITTEN_OFF = 3

/**
 * Unpaid work that a provider risks with a requester: `start`, and as much more as it has paid, so that running away
 * never gains more than `start` over honest trade; halved by each share left unpaid, and nothing after
 * {@link MAX_WRITTEN_OFF} of them; `most` at most.
 */
export function creditWindow({ start, most }: CreditTerms, history: CreditHistory): Amount {
  if (history.writtenOff >= MAX_WRITTEN_OFF) return 0n
  const earned = (start + history.paid) >> BigInt(history.writtenOff)
  return earned < most ? earned : most
}

/** Whether `more` may be added to what is unpaid. */
export function hasCredit(window: Amount, unpaid: Amount, more: Amount): boolean {
  return unpaid + more <= window
}
