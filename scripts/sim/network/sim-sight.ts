import type { PeerId } from '../../../node/domain/ids.ts'
import type { Sight } from '../../../node/ports/sight.ts'
import type { SimNetwork } from './sim-network.ts'
import { CONNECTION_BYTES, MESH_DEGREE } from './wire-costs.ts'

/** Sight where every mesh is whole, and every node takes connections unless something stands between. */
export class SimSight implements Sight {
  readonly #network: SimNetwork
  readonly #peer: PeerId

  constructor(network: SimNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  neighbours(topic: string): number {
    return Math.min(MESH_DEGREE, this.#network.topics.listeners(topic))
  }

  async reaches(peer: PeerId): Promise<boolean | undefined> {
    if (this.#network.link(this.#peer, peer) === undefined) return undefined
    this.#network.parts.traffic.add('look', CONNECTION_BYTES)
    return this.#network.isOpen(this.#peer, peer)
  }
}
