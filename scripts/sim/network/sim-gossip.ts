import { HiveError } from '../../../node/domain/errors.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import type { Verdict } from '../../../node/domain/offer.ts'
import type { Gossip, GossipHandler, TopicRules } from '../../../node/ports/gossip.ts'
import type { SimNetwork } from './sim-network.ts'
import { MESH_DEGREE, OTHER_NEIGHBOURS } from './wire-costs.ts'

/** Listeners that a node knows one by one, being connected to them. */
const KNOWN_EXACTLY: number = MESH_DEGREE + OTHER_NEIGHBOURS
/** Most that a node misjudges a larger network by, in powers of two. */
const MISJUDGED = 0.5

/** A node's topics. How messages go from node to node is the matter of {@link Topics}. */
export class SimGossip implements Gossip {
  readonly peer: PeerId
  readonly at: number
  readonly #network: SimNetwork
  /** How many times too large the network seems to this node. */
  readonly #misjudges: number
  readonly #handlers = new Map<string, { maxBytes: number; handler: GossipHandler }>()

  constructor(network: SimNetwork, peer: PeerId, at: number) {
    this.#network = network
    this.peer = peer
    this.at = at
    this.#misjudges = 2 ** network.parts.random.between(-MISJUDGED, MISJUDGED)
  }

  subscribe(
    topic: string,
    options: TopicRules & { readonly signal: AbortSignal },
    handler: GossipHandler,
  ): void {
    if (this.#handlers.has(topic))
      throw new HiveError('INTERNAL', { topic, expected: 'one handler' })
    options.signal.throwIfAborted()
    this.#handlers.set(topic, { maxBytes: options.maxBytes, handler })
    this.#network.topics.join(topic, this)
    options.signal.addEventListener('abort', () => this.#leave(topic), { once: true })
  }

  async publish(topic: string, bytes: Uint8Array): Promise<readonly PeerId[]> {
    return this.#network.topics.publish(topic, this, bytes)
  }

  listeners(topic: string): number {
    const others = this.#network.topics.listeners(topic) - (this.#handlers.has(topic) ? 1 : 0)
    return others > KNOWN_EXACTLY ? Math.round(others * this.#misjudges) : others
  }

  /** Leaves all topics, as a node that is gone. */
  leave(): void {
    for (const topic of this.#handlers.keys()) this.#leave(topic)
  }

  /** What the node says of a message; `undefined` where it does not listen any more. */
  judge(topic: string, bytes: Uint8Array): Verdict | Promise<Verdict> | undefined {
    const joined = this.#handlers.get(topic)
    if (joined === undefined) return undefined
    return bytes.byteLength > joined.maxBytes ? 'reject' : joined.handler(bytes)
  }

  #leave(topic: string): void {
    if (this.#handlers.delete(topic)) this.#network.topics.leave(topic, this)
  }
}
