import type { EscrowChannel } from '../../ports/escrow.ts'
import type { EarningRecord } from './records.ts'

/** A channel before anything was agreed on it. */
export function newEarning({ id, requester, deposit, settled }: EscrowChannel): EarningRecord {
  return { id, requester, deposit, lastSeq: 0, cumulative: 0n, claimed: settled, paid: [] }
}

/**
 * The record after a look at the contract; the same object when that is no news. `now` is Unix ms. A claim or a close that
 * a reorganised chain forgot shows up as less paid out, or as a channel that is open again.
 */
export function asOnChain(
  record: EarningRecord,
  found: EscrowChannel | undefined,
  now: number,
): EarningRecord {
  const isClosed = record.closed === true
  if (found === undefined)
    return isClosed || record.missingSince !== undefined ? record : { ...record, missingSince: now }
  const { closed: _, closedAt: __, missingSince, ...known } = record
  if (found.status === 'closed')
    return isClosed ? record : { ...known, claimed: found.settled, closed: true, closedAt: now }
  const isSame = record.deposit === found.deposit && record.claimed === found.settled
  if (isSame && !isClosed && missingSince === undefined) return record
  return { ...known, deposit: found.deposit, claimed: found.settled }
}
