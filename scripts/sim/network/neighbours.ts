import type { PeerId } from '../../../node/domain/ids.ts'

/** Who is connected to whom: all nodes in a ring in the order in which they came, each with those next to it. */
export class Neighbours {
  #ring: readonly PeerId[] = []
  readonly #places = new Map<PeerId, number>()

  /** Deals the ring anew, after somebody came or left. */
  deal(ring: readonly PeerId[]): void {
    this.#ring = ring
    this.#places.clear()
    for (const [place, peer] of ring.entries()) this.#places.set(peer, place)
  }

  /** At most `count` others, half of them on either side. */
  of(peer: PeerId, count: number): readonly PeerId[] {
    const place = this.#places.get(peer)
    if (place === undefined) return []
    const size = this.#ring.length
    const steps = Array.from({ length: Math.min(count, size - 1) }, (_, at) =>
      at % 2 === 0 ? at / 2 + 1 : size - (at + 1) / 2,
    )
    return steps.map((step) => this.#ring[(place + step) % size] as PeerId)
  }
}
