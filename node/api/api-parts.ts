import type { Reachability, Relaying } from '../ports/directory.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { Escrow } from '../ports/escrow.ts'
import type { Logger } from '../ports/logger.ts'
import type { CapacityKeeper } from '../services/capacity-keeper.ts'
import type { Challenger } from '../services/challenge/challenger.ts'
import type { ImageBook } from '../services/image-book.ts'
import type { Monitor } from '../services/monitoring/monitor.ts'
import type { PriceBook } from '../services/price-book.ts'
import type { Presence } from '../services/presence.ts'
import type { Provider } from '../services/provider/provider.ts'
import type { Reconciler } from '../services/reconciler.ts'
import type { Attaching } from '../services/requester/attaching.ts'
import type { Requester } from '../services/requester/requester.ts'
import type { Workflows } from '../services/requester/workflows.ts'
import type { Visibility } from '../services/visibility.ts'
import type { Signing } from '../services/signing.ts'

/** The node as its API sees it. */
export interface ApiParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requester: Requester
  readonly workflows: Workflows
  readonly attaching: Attaching
  readonly provider?: Provider
  readonly presence: Presence
  readonly visibility?: Visibility
  readonly reconciler: Reconciler
  readonly capacity: CapacityKeeper
  readonly challenger: Challenger
  readonly monitor: Monitor
  readonly prices: PriceBook
  readonly escrow: Escrow
  readonly blobs: Blobs
  readonly images: ImageBook
  readonly signing: Signing
  /** Peers that are connected. */
  readonly peerCount: () => number
  /** Multiaddrs that others can dial. */
  readonly addresses: () => readonly string[]
  readonly reachability: () => Reachability
  readonly relaying: () => Relaying
}

export interface ApiOptions {
  /** Where api.json is written for the command line to find. */
  readonly dataDir: string
  /** 0 takes any free one. */
  readonly port: number
  readonly network: string
  /** Kinds of jobs that this node runs; empty on a node that only requests. */
  readonly kinds: readonly string[]
}

/** What routes are made from: the parts, and when to stop. */
export interface RouteContext extends ApiParts {
  readonly options: ApiOptions
  /** Unix ms. */
  readonly startedAt: number
  /** Aborts when the node stops. */
  readonly stop: AbortSignal
}
