import type { Randomness } from '../time/randomness.ts'
import type { SimGossip } from './sim-gossip.ts'
import { MESH_DEGREE, OTHER_NEIGHBOURS } from './wire-costs.ts'

/**
 * Who passes messages of a topic on to whom: as many rings through all listeners, each in an order of its own, as give
 * every node its degree. It is dealt anew when somebody came or went, as heartbeats would mend it; the first message
 * after that goes through the new one.
 */
export class Mesh {
  readonly #random: Randomness
  readonly #members = new Set<SimGossip>()
  #neighbours: Map<SimGossip, readonly SimGossip[]> | undefined

  constructor(random: Randomness) {
    this.#random = random
  }

  get size(): number {
    return this.#members.size
  }

  join(node: SimGossip): void {
    this.#members.add(node)
    this.#neighbours = undefined
  }

  leave(node: SimGossip): void {
    this.#members.delete(node)
    // the others find out at a heartbeat; until then they send into the void, as its port does not listen
    this.#neighbours = undefined
  }

  /** Those that a node passes messages on to, or `all` that it tells of its own. */
  neighbours(node: SimGossip, which: 'mesh' | 'all'): readonly SimGossip[] {
    this.#neighbours ??= this.#deal()
    const mesh = this.#neighbours.get(node) ?? []
    if (which === 'mesh') return mesh
    const wanted = Math.min(MESH_DEGREE + OTHER_NEIGHBOURS, this.#members.size)
    const all = new Set(mesh)
    const members = [...this.#members]
    for (let tries = 0; all.size < wanted && tries < 10 * wanted; tries++) {
      const other = this.#random.pick(members)
      if (other !== node) all.add(other)
    }
    return [...all]
  }

  #deal(): Map<SimGossip, readonly SimGossip[]> {
    const members = [...this.#members]
    const neighbours = new Map(members.map((node) => [node, new Set<SimGossip>()]))
    const isSmall = members.length <= MESH_DEGREE
    const rings = isSmall ? [] : Array.from({ length: MESH_DEGREE / 2 }, () => members)
    for (const ring of rings.map((all) => this.#random.shuffled(all)))
      for (const [at, node] of ring.entries()) {
        const next = ring[(at + 1) % ring.length] ?? node
        neighbours.get(node)?.add(next)
        neighbours.get(next)?.add(node)
      }
    if (isSmall)
      for (const [node, own] of neighbours)
        for (const other of members) if (other !== node) own.add(other)
    return new Map([...neighbours].map(([node, own]) => [node, [...own]]))
  }
}
