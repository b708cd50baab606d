import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Sealer } from '../../ports/sealer.ts'
import type { Store } from '../../ports/store.ts'
import type { Announcements } from '../capability-search.ts'
import type { PriceNotes } from '../price-book.ts'
import type { Signing } from '../signing.ts'
import type { CandidatesOptions } from './candidates.ts'
import type { ChannelLedgerOptions } from './channel-ledger.ts'
import type { FollowingOptions } from './following.ts'
import type { AskAdvert } from './letting-in.ts'

export interface RequesterParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly gossip: Gossip
  readonly requests: Requests
  readonly blobs: Blobs
  readonly escrow: Escrow
  readonly signing: Signing
  readonly sealer: Sealer
  /** Where providers are looked for that gossip does not reach. */
  readonly directory?: Announcements
  /** Remembers what computing costs. Left out: nobody does. */
  readonly prices?: PriceNotes
  /** What providers say of themselves; left out: nothing is asked. */
  readonly askAdvert?: AskAdvert
}

export interface RequesterOptions
  extends ChannelLedgerOptions, FollowingOptions, CandidatesOptions {
  readonly network: string
}
