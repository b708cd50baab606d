import type { PeerId } from '../domain/ids.ts'
import type { Verdict } from '../domain/offer.ts'

/**
 * Judges a message before it is passed on. Must not throw; must be quick. Bytes are at most the
 * `maxBytes` of the subscription. `reject` costs the sender score, `ignore` is silent.
 */
export type GossipHandler = (bytes: Uint8Array) => Verdict | Promise<Verdict>

/** What a topic carries, at most. Who sends what breaks them loses score, and then is no longer heard. */
export interface TopicRules {
  /** Of one message; more is rejected unseen. */
  readonly maxBytes: number
  /** Messages taken in a minute, from all peers together; further ones are dropped, and a peer that alone sends twice as many is at fault. */
  readonly perMinute: number
}

/** One-to-all announcements by topic. Own messages do not come back. */
export interface Gossip {
  /** Joins a topic until the signal aborts. One handler a topic. */
  subscribe(
    topic: string,
    options: TopicRules & { readonly signal: AbortSignal },
    handler: GossipHandler,
  ): void
  /**
   * Resolves with the peers it was sent to, before any of them can have answered; those that hear
   * it from others are not among them. None means that nobody heard it, so that it may be published
   * again.
   */
  publish(topic: string, bytes: Uint8Array): Promise<readonly PeerId[]>
  /**
   * About how many others listen on a topic: those connected, and where the network is larger than
   * what this node is connected to, as many more as its size suggests. A hint.
   */
  listeners(topic: string): number
}
