import { HiveError } from '../../node/domain/errors.ts'
import type { Address } from '../../node/domain/ids.ts'
import type { Amount } from '../../node/domain/money.ts'

/** Who gets fees and what is slashed in a fake contract. */
export const TREASURY: Address = `0x${'fe'.repeat(20)}`

/** What the real escrow throws when the contract refuses, by the contract's name for it. */
export function reverted(error: string): HiveError {
  return new HiveError('CHAIN_REVERTED', { error })
}

/** The smaller of two; the first when there is no second. */
export function least(a: Amount, b: Amount = a): Amount {
  return a < b ? a : b
}
