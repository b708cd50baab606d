import type { PeerId } from '../domain/ids.ts'
import type { CallOptions } from './requests.ts'

/** A peer that this node is connected to. */
export interface ConnectedPeer {
  readonly peer: PeerId
  readonly addresses: readonly string[]
  readonly latencyMs: number | undefined
}

/** How others come to a node: by an address of its own, through relays, or by none that is known. */
export type Reachability = 'direct' | 'relayed' | 'unknown'

/** What goes through relays at a node. */
export interface Relaying {
  /** The relays through which others reach this node. */
  readonly via: readonly PeerId[]
  /** Connections of this node that go through a relay now. */
  readonly connections: number
  /** Nodes that are reached through this one. */
  readonly carried: number
}

/** Who is there: connections and the DHT. What the DHT says is a hint. */
export interface Directory {
  /** Own addresses with the PeerId, for others to dial. */
  addresses(): readonly string[]
  connected(): readonly ConnectedPeer[]
  /** Connects to a multiaddr. Throws PEER_UNREACHABLE. */
  dial(address: string, options: CallOptions): Promise<PeerId>
  /** Puts the node's signed advert into the DHT and announces its capability tags, e.g. `kind=wasm`. */
  advertise(advert: Uint8Array, tags: readonly string[], options: CallOptions): Promise<void>
  /** Ends the announcement of tags, which otherwise goes on, also after a restart. Others forget them in their time. */
  withdraw(tags: readonly string[], options: CallOptions): Promise<void>
  /** Peers that announced `tag`, as the DHT finds them: all where they are few, otherwise a part, in no order to rely on. */
  find(tag: string, options: CallOptions): AsyncIterable<PeerId>
  /** The advert stored for a peer, or `undefined`. Undecoded: the caller checks it. */
  advertOf(peer: PeerId, options: CallOptions): Promise<Uint8Array | undefined>
}
