import { HiveError } from '../../../node/domain/errors.ts'
import type { PeerId } from '../../../node/domain/ids.ts'
import type { ProtocolName } from '../../../node/protocol/protocols.ts'
import { FakeRequests, type Wires } from '../../../test/support/fake-requests.ts'
import type { Randomness } from '../time/randomness.ts'
import type { VirtualClock } from '../time/virtual-clock.ts'
import type { Geography } from './geography.ts'
import { Neighbours } from './neighbours.ts'
import { SimDirectory } from './sim-directory.ts'
import { SimGossip } from './sim-gossip.ts'
import { SimSight } from './sim-sight.ts'
import { Topics } from './topics.ts'
import type { Traffic } from './traffic.ts'
import { ACK_BYTES, FRAME_BYTES, STREAM_BYTES } from './wire-costs.ts'

/** A node of the network: its ports, and where it is. */
export interface NetworkNode {
  readonly peer: PeerId
  readonly at: number
  readonly gossip: SimGossip
  readonly requests: FakeRequests
  readonly directory: SimDirectory
  readonly sight: SimSight
}

export interface SimNetworkParts {
  readonly clock: VirtualClock
  readonly random: Randomness
  readonly geography: Geography
  readonly traffic: Traffic
}

/** Nodes that reach each other after the time that their distance takes, and only while nothing stands between them. */
export class SimNetwork implements Wires {
  readonly options: Wires['options']
  readonly parts: SimNetworkParts
  readonly topics: Topics
  /** Share of the messages of a mesh that get lost, 0 to 1. */
  loss = 0
  readonly #nodes = new Map<PeerId, NetworkNode>()
  /** Connections by both ends; aborting one cuts it. */
  readonly #links = new Map<PeerId, Map<PeerId, AbortController>>()
  readonly #neighbours = new Neighbours()
  #isDealt = false
  #isParted = false

  constructor(parts: SimNetworkParts) {
    this.parts = parts
    const { clock } = parts
    this.options = { clock, now: () => clock.now() }
    this.topics = new Topics(this)
  }

  /** Puts a node into the network, at a place that {@link Geography.settle} made. */
  join(peer: PeerId, at: number): NetworkNode {
    const node: NetworkNode = {
      peer,
      at,
      gossip: new SimGossip(this, peer, at),
      requests: new FakeRequests(this, peer),
      directory: new SimDirectory(this, peer),
      sight: new SimSight(this, peer),
    }
    this.#nodes.set(peer, node)
    this.#isDealt = false
    return node
  }

  /** Ends a node as SIGKILL would: its connections break and nobody reaches it. */
  leave(peer: PeerId): void {
    this.#nodes.get(peer)?.gossip.leave()
    for (const other of this.#links.get(peer)?.keys() ?? []) this.#cut(peer, other)
    this.#links.delete(peer)
    this.#nodes.delete(peer)
    this.#isDealt = false
  }

  node(peer: PeerId): NetworkNode | undefined {
    return this.#nodes.get(peer)
  }

  nodes(): readonly NetworkNode[] {
    return [...this.#nodes.values()]
  }

  get size(): number {
    return this.#nodes.size
  }

  /** Nodes that a node is connected to all the time. */
  neighbours(peer: PeerId, count: number): readonly PeerId[] {
    if (!this.#isDealt) this.#neighbours.deal([...this.#nodes.keys()])
    this.#isDealt = true
    return this.#neighbours.of(peer, count).filter((other) => this.isOpen(peer, other))
  }

  /** Parts east from west; what stood between them breaks. */
  part(): void {
    this.#isParted = true
    for (const [peer, links] of this.#links)
      for (const other of links.keys()) if (!this.isOpen(peer, other)) this.#cut(peer, other)
  }

  heal(): void {
    this.#isParted = false
  }

  /** Whether a message can get from one place to the other now. */
  isPassable(from: number, to: number): boolean {
    const { geography } = this.parts
    return !this.#isParted || geography.isEast(from) === geography.isEast(to)
  }

  connect(a: PeerId, b: PeerId): boolean {
    if (a === b || !this.isOpen(a, b)) return false
    if (this.link(a, b) === undefined) {
      const control = new AbortController()
      this.#linksOf(a).set(b, control)
      this.#linksOf(b).set(a, control)
      this.parts.traffic.add('connections', 0)
    }
    return true
  }

  link(a: PeerId, b: PeerId): AbortSignal | undefined {
    return this.#links.get(a)?.get(b)?.signal
  }

  async carry(from: PeerId, to: PeerId, protocol: ProtocolName, bytes: number): Promise<void> {
    const [here, there] = [this.#nodes.get(from)?.at, this.#nodes.get(to)?.at]
    const { clock, geography, traffic } = this.parts
    // half of what a stream costs goes with what was asked, half with what was answered
    traffic.add(`direct ${protocol}`, bytes + FRAME_BYTES + ACK_BYTES / 2 + STREAM_BYTES / 2)
    if (here === undefined || there === undefined) throw new HiveError('PEER_UNREACHABLE', { to })
    await clock.pass(geography.latency(here, there))
  }

  /** Whether both are there and nothing stands between them. */
  isOpen(a: PeerId, b: PeerId): boolean {
    const [here, there] = [this.#nodes.get(a), this.#nodes.get(b)]
    return here !== undefined && there !== undefined && this.isPassable(here.at, there.at)
  }

  #linksOf(peer: PeerId): Map<PeerId, AbortController> {
    const links = this.#links.get(peer) ?? new Map<PeerId, AbortController>()
    this.#links.set(peer, links)
    return links
  }

  #cut(a: PeerId, b: PeerId): void {
    const link = this.#links.get(a)?.get(b)
    this.#links.get(a)?.delete(b)
    this.#links.get(b)?.delete(a)
    link?.abort(new HiveError('STREAM_CUT'))
  }
}
