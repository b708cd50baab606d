import { HiveError } from '../../../node/domain/errors.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import type { ConnectedPeer, Directory } from '../../../node/ports/directory.ts'
import type { CallOptions } from '../../../node/ports/requests.ts'
import { storeCost } from './dht-costs.ts'
import type { SimNetwork } from './sim-network.ts'
import { MESH_DEGREE, OTHER_NEIGHBOURS } from './wire-costs.ts'

/** Most peers that a search brings. Source: the bucket size of the DHT, at which a search stops. */
const SAMPLE = 20

/** A DHT that always finds what is there, at the cost that a real one has. */
export class SimDirectory implements Directory {
  readonly #network: SimNetwork
  readonly #peer: PeerId
  #advert: Uint8Array | undefined
  #tags: readonly string[] = []

  constructor(network: SimNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  addresses(): readonly string[] {
    return [`/memory/sim/p2p/${this.#peer}`]
  }

  connected(): readonly ConnectedPeer[] {
    const count = Math.min(MESH_DEGREE + OTHER_NEIGHBOURS, this.#network.size - 1)
    return Array.from({ length: count }, () => ({ peer: '', addresses: [], latencyMs: undefined }))
  }

  async dial(address: string): Promise<PeerId> {
    const peer = address.split('/p2p/')[1] ?? ''
    if (this.#network.connect(this.#peer, peer)) return peer
    throw new HiveError('PEER_UNREACHABLE', { address })
  }

  async advertise(advert: Uint8Array, tags: readonly string[]): Promise<void> {
    this.#advert = advert
    this.#tags = tags
    const { traffic } = this.#network.parts
    const put = storeCost(this.#network.size, advert.byteLength)
    const provide = storeCost(this.#network.size, 0)
    traffic.add('dht put', put.bytes / put.messages, put.messages)
    traffic.add('dht provide', provide.bytes / provide.messages, provide.messages * tags.length)
  }

  async *find(tag: string, { signal }: CallOptions): AsyncGenerator<PeerId> {
    const { random } = this.#network.parts
    let found = 0
    for (const { peer, directory } of random.shuffled(this.#network.nodes())) {
      signal.throwIfAborted()
      if (peer === this.#peer || !directory.#tags.includes(tag)) continue
      yield peer
      if (++found === SAMPLE) return
    }
  }

  async advertOf(peer: PeerId): Promise<Uint8Array | undefined> {
    const found = this.#network.node(peer)
    return found === undefined ? undefined : found.directory.#advert
  }
}
