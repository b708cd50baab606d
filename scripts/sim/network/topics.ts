import { createHash } from 'node:crypto'
import type { PeerId } from '../../../node/domain/ids.ts'
import { minute } from '../../../node/domain/units.ts'
import { Mesh } from './mesh.ts'
import type { SimGossip } from './sim-gossip.ts'
import type { SimNetwork } from './sim-network.ts'
import { ACK_BYTES, FRAME_BYTES, GOSSIP_ENVELOPE_BYTES } from './wire-costs.ts'

/** How long a node knows that it has seen a message, ms. Source: seenTTL of gossipsub. */
const SEEN_MS: number = 2 * minute

/** A message under way. All nodes hold the same bytes, so that a signature on them is checked once. */
interface Spreading {
  readonly topic: string
  readonly bytes: Uint8Array
  /** By place of a node: when the first copy gets there, Unix ms. */
  readonly arrivals: Map<number, number>
}

/** Who listens to what, and how messages go from node to node. */
export class Topics {
  readonly #network: SimNetwork
  readonly #meshes = new Map<string, Mesh>()
  readonly #spreading = new Map<string, Spreading>()

  constructor(network: SimNetwork) {
    this.#network = network
  }

  join(topic: string, node: SimGossip): void {
    this.#mesh(topic).join(node)
  }

  leave(topic: string, node: SimGossip): void {
    this.#mesh(topic).leave(node)
  }

  /** How many listen to a topic. */
  listeners(topic: string): number {
    return this.#meshes.get(topic)?.size ?? 0
  }

  /** Sends a message on its way. Returns to whom it went first: to none where nobody listens, or it went before. */
  publish(topic: string, from: SimGossip, bytes: Uint8Array): readonly PeerId[] {
    const { clock } = this.#network.parts
    const heard = this.#mesh(topic)
      .neighbours(from, 'all')
      .filter(({ at }) => this.#network.isPassable(from.at, at))
    const id = createHash('sha256').update(topic).update('\0').update(bytes).digest('base64')
    if (heard.length === 0 || this.#spreading.has(id)) return []
    const message = { topic, bytes: bytes.slice(), arrivals: new Map([[from.at, clock.now()]]) }
    this.#spreading.set(id, message)
    clock.after(SEEN_MS, () => this.#spreading.delete(id))
    for (const node of heard) this.#send(message, from, node)
    return heard.map(({ peer }) => peer)
  }

  #send(message: Spreading, from: SimGossip, to: SimGossip): void {
    const { clock, geography, traffic, random } = this.#network.parts
    const wire = FRAME_BYTES + ACK_BYTES / 2 + GOSSIP_ENVELOPE_BYTES
    traffic.add('gossip offers', message.bytes.byteLength + wire)
    if (!this.#network.isPassable(from.at, to.at)) return
    if (this.#network.loss > 0 && random.fraction() < this.#network.loss) return
    const at = clock.now() + geography.latency(from.at, to.at)
    // a later copy of what is there, or on its way, changes nothing
    if ((message.arrivals.get(to.at) ?? Infinity) <= at) return
    message.arrivals.set(to.at, at)
    clock.after(at - clock.now(), () => {
      if (message.arrivals.get(to.at) === at) this.#arrive(message, from, to)
    })
  }

  #arrive(message: Spreading, from: SimGossip, to: SimGossip): void {
    const verdict = to.judge(message.topic, message.bytes)
    if (verdict === 'accept') return this.#pass(message, from, to)
    if (verdict === 'reject') this.#network.parts.traffic.add('gossip rejected', 0)
    if (verdict instanceof Promise)
      void verdict.then((late) => {
        if (late === 'accept') this.#pass(message, from, to)
      })
  }

  #pass(message: Spreading, from: SimGossip, via: SimGossip): void {
    for (const node of this.#mesh(message.topic).neighbours(via, 'mesh'))
      if (node !== from) this.#send(message, via, node)
  }

  #mesh(topic: string): Mesh {
    const known = this.#meshes.get(topic)
    if (known !== undefined) return known
    const mesh = new Mesh(this.#network.parts.random)
    this.#meshes.set(topic, mesh)
    return mesh
  }
}
