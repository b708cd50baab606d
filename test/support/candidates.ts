import type { Bid } from '../../node/domain/bid.ts'
import { UNKNOWN_REPUTATION, type Candidate } from '../../node/domain/candidate.ts'
import type { Address } from '../../node/domain/ids.ts'
import { aBid } from './messages.ts'

/** The account of the `n`th provider. */
export const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`

/** The `n`th provider's bid for four tasks at a time, of a provider that has delivered before. */
export function aCandidate(
  n: number,
  bid: Partial<Bid> = {},
  extras: Partial<Omit<Candidate, 'bid'>> = {},
): Candidate {
  const full = aBid({ provider: account(n), capacity: 4, ...bid })
  return {
    bid: full,
    cost: full.price,
    affine: false,
    faults: 0,
    reputation: UNKNOWN_REPUTATION,
    capacity: full.capacity,
    proven: true,
    holds: 0,
    msPerTask: Infinity,
    lot: String(n).padStart(3, '0'),
    ...extras,
  }
}
