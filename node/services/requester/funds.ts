import { HiveError } from '../../domain/errors.ts'
import { agreedPrice, INTERVALS_AGREED } from '../../domain/metering.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Signing } from '../signing.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { JobRequest } from './records.ts'

export interface FundsParts {
  readonly escrow: Escrow
  readonly signing: Signing
  readonly channels: ChannelLedger
}

/** Throws `INSUFFICIENT_DEPOSIT` unless this node can pay what so many tasks may cost at first. */
export async function requireFunds(
  { escrow, signing, channels }: FundsParts,
  request: JobRequest,
  tasks: number,
  signal: AbortSignal,
): Promise<void> {
  const { service } = request.spec
  const { payEveryMs = 0 } = service ?? {}
  const ahead = service === undefined ? 1n : BigInt(INTERVALS_AGREED)
  const most = agreedPrice({ payEveryMs }, request.maxPrice, tasks) * ahead
  const { budget = most } = request
  const needed = budget < most ? budget : most
  const { free } = await escrow.balances(signing.address, { signal })
  const available = free + channels.uncommitted()
  // A job that may wait can wait for what other jobs have reserved and may not need.
  const canWait = request.timeouts?.queueMs !== undefined
  const reachable = canWait ? free + channels.unspent() : available
  if (reachable < needed) throw new HiveError('INSUFFICIENT_DEPOSIT', { available, needed })
}
