import { TagRenewal } from '../../../node/adapters/libp2p/tag-renewal.ts'
import { HiveError } from '../../../node/domain/errors.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import type { ConnectedPeer, Directory } from '../../../node/ports/directory.ts'
import type { CallOptions } from '../../../node/ports/requests.ts'
import { fetchCost, storeCost, walkCost, walkSteps, type DhtCost } from './dht-costs.ts'
import type { SimNetwork } from './sim-network.ts'
import { MESH_DEGREE, OTHER_NEIGHBOURS } from './wire-costs.ts'

/**
 * A DHT that always finds what is there, at the cost that a real one has. All records of one key are at the same few
 * nodes, of which the first that is asked names all it has, in the order of their ids: whoever wants a sample takes it.
 */
export class SimDirectory implements Directory {
  readonly #network: SimNetwork
  readonly #peer: PeerId
  #advert: Uint8Array | undefined
  readonly #tags = new Set<string>()
  readonly #renewal = new TagRenewal()

  constructor(network: SimNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  addresses(): readonly string[] {
    return [`/memory/sim/p2p/${this.#peer}`]
  }

  connected(): readonly ConnectedPeer[] {
    const peers = this.#network.neighbours(this.#peer, MESH_DEGREE + OTHER_NEIGHBOURS)
    return peers.map((peer) => ({ peer, addresses: [], latencyMs: undefined }))
  }

  async dial(address: string): Promise<PeerId> {
    const peer = address.split('/p2p/')[1] ?? ''
    if (this.#network.connect(this.#peer, peer)) return peer
    throw new HiveError('PEER_UNREACHABLE', { address })
  }

  async advertise(advert: Uint8Array, tags: readonly string[]): Promise<void> {
    const { clock, traffic } = this.#network.parts
    this.#advert = advert
    const due = this.#renewal.due(tags, clock.now())
    for (const tag of due) this.#renewal.note(tag, clock.now())
    for (const tag of tags) this.#tags.add(tag)
    const put = storeCost(this.#network.size, advert.byteLength)
    const provide = storeCost(this.#network.size, 0)
    traffic.add('dht put', put.bytes / put.messages, put.messages)
    traffic.add('dht provide', provide.bytes / provide.messages, provide.messages * due.length)
  }

  async withdraw(tags: readonly string[]): Promise<void> {
    for (const tag of tags) this.#tags.delete(tag)
    this.#renewal.forget(tags)
  }

  async *find(tag: string, { signal }: CallOptions): AsyncGenerator<PeerId> {
    signal.throwIfAborted()
    await this.#walk('dht find', walkCost(this.#network.size))
    const holds = this.#network.nodes().filter(({ directory }) => directory.#tags.has(tag))
    for (const { peer } of holds.toSorted((a, b) => (a.peer < b.peer ? -1 : 1))) {
      signal.throwIfAborted()
      if (peer !== this.#peer) yield peer
    }
  }

  async advertOf(peer: PeerId): Promise<Uint8Array | undefined> {
    const found = this.#network.node(peer)
    const advert = found === undefined ? undefined : found.directory.#advert
    await this.#walk('dht get', fetchCost(this.#network.size, advert?.byteLength ?? 0))
    return advert
  }

  /** What a search costs, and the time that its steps take, one after another to nodes anywhere. */
  async #walk(name: string, { messages, bytes }: DhtCost): Promise<void> {
    const { clock, geography, random, traffic } = this.#network.parts
    const nodes = this.#network.nodes()
    const here = this.#network.node(this.#peer)
    traffic.add(name, bytes / messages, messages)
    if (here === undefined) return
    let ms = 0
    for (let step = walkSteps(nodes.length); step > 0; step--)
      ms += 2 * geography.latency(here.at, random.pick(nodes).at)
    await clock.pass(ms)
  }
}
