import type { EgressPolicy } from '../domain/egress.ts'
import type { HourWindow } from '../domain/hours.ts'
import type { Address, Cid } from '../domain/ids.ts'
import type { JobKind } from '../domain/job-spec.ts'
import type { Amount } from '../domain/money.ts'
import type { PriceList, PricingRuleName } from '../domain/pricing.ts'
import type { SpendingLimits } from '../domain/spending.ts'
import type { CreditTerms } from '../domain/credit-window.ts'
import type { Switch } from '../domain/switch.ts'
import type { AllowDeny } from '../domain/provider-policy.ts'

/** How much a node writes about itself, least first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
/** For people, or one JSON object a line. */
export const LOG_FORMATS = ['text', 'json'] as const

/** When images run without an engine, which a provider has to want. */
export const NATIVE_USES = ['never', 'without-docker', 'always'] as const
/** What holds such jobs. */
export const NATIVE_KEEPERS = ['runsc', 'bubblewrap'] as const

/** Everything a node is told, and no secret. Frozen. docs/operations/config.md describes each field. */
export interface Config {
  readonly network: {
    readonly name: string
    /** Multiaddrs. */
    readonly listen: readonly string[]
    /** Multiaddrs told to others instead of those listened on; for a node behind a forwarded port. */
    readonly announce: readonly string[]
    /** Multiaddrs with a PeerId. */
    readonly bootstrap: readonly string[]
    readonly mdns: boolean
    /** Loopback and private addresses are normal here, and many nodes may share one. */
    readonly private: boolean
    /** Whether to carry connections for nodes that nobody reaches. */
    readonly relay: Switch
    /** Whether to be reached through such nodes. */
    readonly viaRelays: Switch
    /** Whether to ask the router for a port. */
    readonly upnp: boolean
    /** File with the key that all nodes of a private network share. */
    readonly keyFile: string | undefined
  }
  readonly chain: {
    readonly rpc: string
    readonly id: number
    readonly escrow: Address
    /** Blocks that must stand on a transaction before it counts, its own included. */
    readonly confirmations: number
    /** How often the node's channels are compared with the contract, ms. */
    readonly reconcileEveryMs: number
    /** Block of the contract's deployment: events are read from there on. */
    readonly fromBlock: number
  }
  readonly api: {
    /** 0 takes any free one. */
    readonly port: number
  }
  readonly provider: {
    readonly enabled: boolean
    /** A kind whose engine is missing on this machine is not offered. */
    readonly kinds: readonly JobKind[]
    /** What jobs may use together; what is left open follows from the hardware. */
    readonly resources: ResourceShare
    readonly overcommit: Overcommit
    readonly prices: PriceList
    readonly pricing: PricingRuleName
    readonly bond: Amount
    readonly maxQueue: number
    /** How long work under way may go on when the node is told to stop, ms. */
    readonly drainMs: number
    /** Where the machine is, such as `eu-west`; told to others as the operator's word. */
    readonly region: string | undefined
    readonly policy: ProviderPolicyConfig
    /** What Docker jobs may reach, if they list it; nothing else of a network. */
    readonly network: EgressPolicy & {
      /** Runtime of Docker jobs that reach something; left open: that of all. */
      readonly runtime: string | undefined
    }
    /** Unpaid work that a stranger may have, and anybody. */
    readonly credit: CreditTerms
    readonly claimAbove: Amount
    readonly claimAfterIdleMs: number
    /** Registries that images may be pulled from, by digest. */
    readonly registries: readonly string[]
    readonly docker: {
      readonly socketPath: string
      readonly runtime: string | undefined
      /** Most containers kept ready for jobs that come often. */
      readonly warm: number
    }
    readonly native: {
      readonly use: (typeof NATIVE_USES)[number]
      /** Left open: gVisor if it works, then bubblewrap. */
      readonly keeper: (typeof NATIVE_KEEPERS)[number] | undefined
    }
    readonly gpu: {
      /** Tasks that may have one GPU at a time, each promised its part of the memory. */
      readonly share: number
    }
    readonly wasm: { readonly processes: number | undefined }
  }
  /** What fills the data folder: content that is added, fetched and made here. */
  readonly storage: {
    /** Content beyond what is in use or kept, and most that the jobs of others may bring at a time. */
    readonly cacheBytes: number
    /** How long the results of own jobs are kept. */
    readonly keepResultsMs: number
  }
  readonly requester: {
    readonly channelDeposit: Amount
    /** What opening a channel counts for where bids are compared. */
    readonly channelCost: Amount
    readonly lostAfterMs: number
    readonly limits: SpendingLimits
  }
  readonly log: {
    readonly level: (typeof LOG_LEVELS)[number]
    readonly format: (typeof LOG_FORMATS)[number]
  }
}

/** For whom and when the node works. */
export interface ProviderPolicyConfig {
  readonly images: AllowDeny<Cid>
  /** Addresses and peer ids. */
  readonly requesters: AllowDeny<string>
  readonly leastPrices: Readonly<Record<JobKind, Amount | undefined>>
  /** Empty: at any time. */
  readonly hours: readonly HourWindow[]
  /** Left open: the machine's. */
  readonly timeZone: string | undefined
  readonly pauseOnBattery: boolean
  /** Left open: use of the machine does not matter. */
  readonly pauseWhenActiveMs: number | undefined
  /** Whether requesters may get inside their running tasks. */
  readonly attach: 'off' | 'on'
}

/** How much more jobs together may be promised than there is. */
export interface Overcommit {
  /** Cores promised for each that there is, 1 or more. Memory and disk have no such factor: who is promised them fills them. */
  readonly cpu: number
}

/** So much of it, or such a part of all there is, above 0 and up to 1. */
export type Quantity = number | { readonly part: number }

/** What an operator gives of the machine; `undefined` where it was left open. */
export interface ResourceShare {
  readonly cpuMillis: Quantity | undefined
  readonly memoryBytes: Quantity | undefined
  readonly diskBytes: Quantity | undefined
  readonly gpus: number | undefined
}
