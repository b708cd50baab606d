import type { Score } from './capacity.ts'
import type { Device, Gpu, NetworkLink } from './devices.ts'
import type { ForJobs } from './for-jobs.ts'
import type { Address } from './ids.ts'
import { MAX_CLOCK_SKEW_MS } from './offer.ts'
import { minute } from './units.ts'

/** What a node says of itself in the DHT. Signed; a hint until the peer itself repeats it. */
export interface Advert {
  readonly node: Address
  /** Rises with every new advert of the node. */
  readonly seq: number
  readonly network: string
  /** Job kinds it runs; empty on a node that only requests. */
  readonly kinds: readonly string[]
  /** JSON of {@link Hardware}, so that newer nodes can say more without a new message type. */
  readonly hardware: string
  /** Unix ms. */
  readonly issuedAt: number
  /** Unix ms. */
  readonly expiresAt: number
}

/** What a node can run jobs on, as detected. What could not be read is absent, empty or zero. */
export interface Hardware {
  readonly cpuModel: string
  readonly arch: string
  /** Logical processors that the node may use. */
  readonly cores: number
  /** Processors that these belong to, hyper-threads counted once. */
  readonly physicalCores?: number
  /** Instruction sets that a job may want, by the kernel's names. */
  readonly cpuFlags?: readonly string[]
  /** Memory that the node may use at most. */
  readonly memoryBytes: number
  /** What of it was unused at the time of detection. */
  readonly memoryAvailableBytes?: number
  /** Free space where jobs are stored. */
  readonly diskBytes: number
  /** Size of that file system. */
  readonly diskTotalBytes?: number
  readonly gpus: readonly Gpu[]
  readonly fpgas?: readonly Device[]
  readonly tpus?: readonly Device[]
  /** Trusted execution, such as `sgx` or `sev-snp-guest`: a claim until attested. */
  readonly tees?: readonly string[]
  readonly networkLinks?: readonly NetworkLink[]
  /** What it was measured to do; absent until it was. */
  readonly score?: Score
  /** Where its operator says that it is, such as `eu-west`: a claim. */
  readonly region?: string
  /** What jobs may use of all this; absent on a node that takes none. */
  readonly forJobs?: ForJobs
  /** Whether its operator lets requesters into their running tasks; absent: it does not say. */
  readonly attach?: boolean
  /** Which sandbox runs which kind, for example `wasm: bubblewrap`. */
  readonly sandboxes: Readonly<Record<string, string>>
}

/** How long an advert stays fresh, ms. Source: docs/protocol/adverts.md R3. */
export const ADVERT_VALIDITY_MS: number = 30 * minute

/**
 * Bits of a node's point by which its capability tags are split, so that no tag has all of its nodes under one key.
 * Searchers look under the same: all nodes of a network have to agree. Source: docs/protocol/adverts.md, Tags.
 */
export const TAG_SHARD_BITS = 4

/** The broken rule, or `undefined`. `now` is Unix ms, `newestSeq` the highest seq seen of the node. */
export function advertFault(
  advert: Advert,
  now: number,
  network: string,
  newestSeq: number,
): string | undefined {
  // [REJECT] adverts R2: it belongs to this network
  if (advert.network !== network) return 'R2'
  // [REJECT] adverts R3: it is fresh, not dated ahead, and not so for longer than ADVERT_VALIDITY_MS
  if (advert.expiresAt <= now || advert.issuedAt > now + MAX_CLOCK_SKEW_MS) return 'R3'
  if (advert.expiresAt - advert.issuedAt > ADVERT_VALIDITY_MS) return 'R3'
  // [REJECT] adverts R4: it is not older than one already seen (a stored record can be replayed)
  if (advert.seq < newestSeq) return 'R4'
  return undefined
}
