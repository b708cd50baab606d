import type { PeerId } from '../../node/domain/ids.ts'
import type { CallOptions } from '../../node/ports/requests.ts'
import type { Sight } from '../../node/ports/sight.ts'
import type { FakeNetwork } from './fake-network.ts'

/** Sight over a network where whoever listens passes on to all, and whoever is connected can be reached. */
export class FakeSight implements Sight {
  /** Peers that take no connection; tests add to it. */
  readonly closed = new Set<PeerId>()
  readonly #network: FakeNetwork
  readonly #peer: PeerId

  constructor(network: FakeNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  neighbours(topic: string): number {
    const own = this.#network.node(this.#peer)
    if (own?.gossip.joined(topic) !== true) return 0
    return this.#network.neighbours(this.#peer).filter(({ gossip }) => gossip.joined(topic)).length
  }

  async reaches(peer: PeerId, _options: CallOptions): Promise<boolean | undefined> {
    if (this.#network.link(this.#peer, peer) === undefined) return undefined
    return !this.closed.has(peer)
  }
}
