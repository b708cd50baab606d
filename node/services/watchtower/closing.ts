import { hour, second } from '../../domain/units.ts'
import type { Escrow, EscrowChannel } from '../../ports/escrow.ts'
import type { Logger } from '../../ports/logger.ts'

export interface ClosingParts {
  readonly logger: Logger
  readonly escrow: Escrow
}

/** How long a channel found on chain is left for an award on it, ms: as long as a requester may be away for a day. */
export const ADOPTED_IDLE_MS: number = 24 * hour

/** How long a channel of which nothing is on record is left, ms: longer than what was found can be undone. */
export const FORGOTTEN_IDLE_MS: number = 2 * hour

/** Gives notice on an open channel that nobody used since `foundAt`, Unix ms, for `idleMs`. `now` in unix seconds. */
export async function noticeWhenIdle(
  { escrow, logger }: ClosingParts,
  { id, status }: EscrowChannel,
  { foundAt, idleMs }: { readonly foundAt: number | undefined; readonly idleMs: number },
  now: number,
  signal: AbortSignal,
): Promise<void> {
  if (status !== 'open' || foundAt === undefined || now * second < foundAt + idleMs) return
  await escrow.startClose(id, { signal })
  logger.info('notice given on a channel that nobody uses', { channel: id })
}

/** Whether the notice on a channel has run out, so that anyone may close it. `now` in unix seconds. */
export function isDue({ status, closeAt }: EscrowChannel, now: number): boolean {
  return status === 'closing' && closeAt < now
}

/** Closes a channel whose notice has run out. */
export async function close(
  { escrow, logger }: ClosingParts,
  { id }: EscrowChannel,
  signal: AbortSignal,
): Promise<void> {
  await escrow.close(id, { signal })
  logger.info('channel closed after its notice', { channel: id })
}
