import type { PeerId } from '../../domain/ids.ts'
import type { Switch } from '../../domain/switch.ts'
import { hour, KiB, minute, second } from '../../domain/units.ts'

/** What a node's network may be told; only the network's name has no default. */
export interface Libp2pOptions {
  /** Name of the network; nodes of different names share no DHT. */
  readonly network: string
  /** Multiaddrs to listen on; empty for a node that only dials. */
  readonly listen?: readonly string[]
  /** Multiaddrs told to others instead of those listened on; needed behind a public address. */
  readonly announce?: readonly string[]
  /** Multiaddrs dialled until they answer, for ever. */
  readonly bootstrap?: readonly string[]
  /** Whether nodes of the same local network are found by multicast. */
  readonly mdns?: boolean
  /** Whether private and loopback addresses travel through the DHT; for test and local networks. */
  readonly allowPrivateAddresses?: boolean
  /** Whether to carry connections for nodes that cannot be reached otherwise: `auto` once it is found to be public. */
  readonly relay?: Switch
  /** Whether to be reached through such nodes: `auto` when no address of its own is found to be public. */
  readonly viaRelays?: Switch
  /** Whether to ask the router for a port that leads here. */
  readonly upnp?: boolean
  /** The key file's bytes that all nodes of a private network share; others cannot connect. Left out: none. */
  readonly sharedKey?: Uint8Array | undefined
  /**
   * Score per peer above the tenth from one IP address, squared; 0 or below. Networks behind one
   * address, such as loopback, need 0. Default: 0 with `allowPrivateAddresses`, else -5.
   */
  readonly ipColocationWeight?: number
  /** Connections beyond this are pruned. */
  readonly maxConnections?: number
  /** While fewer peers than this are connected, peers met before are dialled again. */
  readonly wantedPeers?: number
  /** Streams of one direct protocol that one connection may hold open. */
  readonly maxStreams?: number
  /** Replaces the time limit of every direct protocol, ms; for tests. */
  readonly timeoutMs?: number
  /** Throws when `bytes` is not a valid, current advert of `peer`. Size is checked before. */
  readonly validateAdvert?: (peer: PeerId, bytes: Uint8Array) => Promise<void>
  /** Index of the best of several valid adverts of one peer. */
  readonly selectAdvert?: (adverts: readonly Uint8Array[]) => number
}

export const LIBP2P_DEFAULTS = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  announce: [],
  bootstrap: [],
  mdns: false,
  allowPrivateAddresses: false,
  relay: 'auto',
  viaRelays: 'auto',
  upnp: false,
  maxConnections: 200,
  wantedPeers: 12,
  maxStreams: 64,
  validateAdvert: async () => undefined,
  selectAdvert: () => 0,
} as const satisfies Omit<
  Required<Libp2pOptions>,
  'network' | 'ipColocationWeight' | 'timeoutMs' | 'sharedKey'
>

/** How long the DHT keeps a provider that does not say so again, ms; what died is gone after it. */
export const PROVIDER_VALIDITY_MS: number = 2 * hour
/** How old the record of a capability tag gets before its node announces it again with its next advert, ms. */
export const PROVIDER_RENEWAL_MS: number = 1 * hour
/**
 * What is left of an own record, ms, when the DHT renews it by itself: those of content, which nothing else renews. Less than
 * what PROVIDER_RENEWAL_MS leaves, so that no tag is announced twice.
 */
export const PROVIDER_LEFT_MS: number = 30 * minute
/**
 * How long a peer and its addresses are remembered, ms. Far above PROVIDER_VALIDITY_MS: a stored
 * provider whose peer was forgotten makes the DHT fail for all other providers of its key too.
 */
export const PEER_MEMORY_MS: number = 7 * 24 * hour
/** Longest that one DHT operation may take, ms; the slowest seen among 100 nodes took 6 s. */
export const DHT_TIMEOUT_MS: number = 30 * second
/** Largest gossip message, bytes; far above any topic's own limit. */
export const MAX_GOSSIP_BYTES: number = 256 * KiB
