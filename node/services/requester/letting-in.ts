import type { Advert } from '../../domain/advert.ts'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import { mapLimited } from '../limited.ts'
import { withinTime } from '../time-limit.ts'
import type { ReceivedBid } from './open-offer.ts'

/** Finds out what a peer says of itself; `undefined` when it does not say it. */
export type AskAdvert = (peer: PeerId, signal: AbortSignal) => Promise<Advert | undefined>

export interface LettingInParts {
  readonly clock: Clock
  /** Left out: nothing is known of anybody. */
  readonly askAdvert?: AskAdvert
}

/** How long bidders may take together to say whether they let anybody in, ms: tasks wait for it. */
const ASKING_MS: number = 3 * second
const ASK_LANES = 16

/**
 * Of these bids those whose providers let a requester into its running tasks, or do not say; and why the others are
 * passed over. One that does not say may decline it later.
 */
export async function lettingIn(
  { clock, askAdvert }: LettingInParts,
  bids: readonly ReceivedBid[],
  signal: AbortSignal,
): Promise<{ readonly open: readonly ReceivedBid[]; readonly refusals: readonly HiveError[] }> {
  if (askAdvert === undefined) return { open: bids, refusals: [] }
  const limit = { ms: ASKING_MS, code: 'PEER_UNREACHABLE', signal } as const
  const closed = new Set<PeerId>()
  await withinTime(clock, limit, async (limited) =>
    mapLimited(bids, ASK_LANES, async ({ peer }) => {
      if (limited.aborted) return
      const advert = await askAdvert(peer, limited)
      if (advert !== undefined && letsIn(advert) === false) closed.add(peer)
    }),
  )
  signal.throwIfAborted()
  return {
    open: bids.filter(({ peer }) => !closed.has(peer)),
    refusals: [...closed].map((provider) => new HiveError('ATTACH_DECLINED', { provider })),
  }
}

/** Whether an advert says that requesters are let in; `undefined` where it says nothing of it. */
function letsIn({ hardware }: Advert): boolean | undefined {
  try {
    const { attach } = JSON.parse(hardware) as { readonly attach?: unknown }
    return typeof attach === 'boolean' ? attach : undefined
  } catch {
    return undefined // a stranger's text
  }
}
