import type { Bytes32 } from './ids.ts'
import type { Amount } from './money.ts'

/** A requester's cumulative promise on a channel; the highest one is worth its amount to the provider. */
export interface Voucher {
  readonly channel: Bytes32
  readonly cumulative: Amount
  /** Shares paid so far. */
  readonly jobs: number
  /** Merkle root of (seq, agreement, amount) of every paid share. */
  readonly jobsRoot: Bytes32
}

/** One paid share: a leaf under a voucher's `jobsRoot`. */
export interface PaidShare {
  readonly seq: number
  readonly agreement: Bytes32
  readonly amount: Amount
}

/** The broken rule of `next`, or `undefined`. `expectedRoot` is the root over `paid`. */
export function voucherFault(
  next: Voucher,
  previous: Pick<Voucher, 'cumulative'> | undefined,
  paid: readonly PaidShare[],
  expectedRoot: Bytes32,
  deposit: Amount,
): string | undefined {
  // [REJECT] vouchers R2: the cumulative amount rises
  if (next.cumulative <= (previous?.cumulative ?? 0n)) return 'R2'
  // [REJECT] vouchers R3: it is the sum of what was paid, share by share, and counts them
  const sum = paid.reduce((total, share) => total + share.amount, 0n)
  if (next.cumulative !== sum || next.jobs !== paid.length) return 'R3'
  // [REJECT] vouchers R4: the root is the one over exactly these shares
  if (next.jobsRoot !== expectedRoot) return 'R4'
  // [REJECT] vouchers R5: the deposit covers it
  if (next.cumulative > deposit) return 'R5'
  return undefined
}
