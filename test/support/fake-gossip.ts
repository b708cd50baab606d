import { createHash } from 'node:crypto'
import { HiveError } from '../../node/domain/errors.ts'
import type { PeerId } from '../../node/domain/ids.ts'
import type { Gossip, GossipHandler, TopicRules } from '../../node/ports/gossip.ts'
import type { FakeNetwork } from './fake-network.ts'

interface Joined {
  readonly maxBytes: number
  readonly handler: GossipHandler
}

/** Gossip that floods: each node passes on what its handler accepts, once. */
export class FakeGossip implements Gossip {
  /** Messages refused by this node, by who sent them. */
  readonly rejected: PeerId[] = []
  readonly #network: FakeNetwork
  readonly #peer: PeerId
  readonly #topics = new Map<string, Joined>()
  readonly #seen = new Set<string>()

  constructor(network: FakeNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  subscribe(
    topic: string,
    options: TopicRules & { readonly signal: AbortSignal },
    handler: GossipHandler,
  ): void {
    if (this.#topics.has(topic)) throw new HiveError('INTERNAL', { topic, expected: 'one handler' })
    options.signal.throwIfAborted()
    this.#topics.set(topic, { maxBytes: options.maxBytes, handler })
    options.signal.addEventListener('abort', () => this.#topics.delete(topic), { once: true })
  }

  async publish(topic: string, bytes: Uint8Array): Promise<readonly PeerId[]> {
    // as on a real mesh: what nobody heard does not count as seen, and can be published again
    if (this.#listeners(topic).length === 0 || !this.#isNew(topic, bytes)) return []
    return this.#spread(topic, bytes.slice())
  }

  listeners(topic: string): number {
    return this.#network
      .nodes()
      .filter(({ peer, gossip }) => peer !== this.#peer && gossip.joined(topic)).length
  }

  /** Whether this node listens to a topic. */
  joined(topic: string): boolean {
    return this.#topics.has(topic)
  }

  async #hear(from: PeerId, topic: string, bytes: Uint8Array): Promise<void> {
    const joined = this.#topics.get(topic)
    if (joined === undefined || !this.#isNew(topic, bytes)) return
    const fits = bytes.byteLength <= joined.maxBytes
    const verdict = fits ? await joined.handler(bytes.slice()) : 'reject'
    if (verdict === 'reject') this.rejected.push(from)
    if (verdict === 'accept') this.#spread(topic, bytes)
  }

  #spread(topic: string, bytes: Uint8Array): PeerId[] {
    const listeners = this.#listeners(topic)
    for (const { peer, gossip } of listeners) {
      if (this.#network.loses(this.#peer, peer, topic)) continue
      // as on a network: later, and not the sender's business; a handler must not throw
      setImmediate(() => void gossip.#hear(this.#peer, topic, bytes))
    }
    return listeners.map(({ peer }) => peer)
  }

  #listeners(topic: string) {
    return this.#network.neighbours(this.#peer).filter(({ gossip }) => gossip.joined(topic))
  }

  #isNew(topic: string, bytes: Uint8Array): boolean {
    const id = createHash('sha256').update(topic).update(bytes).digest('base64')
    return !this.#seen.has(id) && this.#seen.add(id) !== undefined
  }
}
