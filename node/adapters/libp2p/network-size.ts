import { createHash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'

/** The DHT's table of peers, of which its public type shows nothing. */
interface RoutingTable {
  readonly size: number
  closestPeers(kadId: Uint8Array, options?: { readonly count?: number }): readonly PeerId[]
}

/** Nearest nodes that the estimate rests on: the DHT keeps that many, so it is off by a quarter at most mostly. */
const NEAREST = 20

/**
 * Tells about how many nodes the network has, from how close the nearest ones are to this: ids are spread
 * evenly, and a node's nearest are all in its table. Somebody who makes many ids next to this one can make it too high.
 */
export function networkSizeOf(dht: KadDHT, self: PeerId): () => number {
  const { routingTable } = dht as unknown as { readonly routingTable: RoutingTable }
  const own = pointOf(self)
  return () => {
    const nearest = routingTable.closestPeers(own, { count: NEAREST })
    if (nearest.length < NEAREST) return routingTable.size + 1
    return estimated(nearest.map((peer) => distance(own, pointOf(peer))))
  }
}

/** The number of points, spread evenly over 0 to 1, whose nearest to a place lie at these distances. */
export function estimated(distances: readonly number[]): number {
  const farthest = Math.max(...distances)
  return (distances.length - 1) / farthest + 1
}

/** XOR distance of two points as a share of all there is. */
function distance(a: Buffer, b: Buffer): number {
  return ((a.readUInt32BE(0) ^ b.readUInt32BE(0)) >>> 0) / 2 ** 32 || 2 ** -33
}

/** As the DHT orders peers. */
function pointOf(peer: PeerId): Buffer {
  return createHash('sha256').update(peer.toMultihash().bytes).digest()
}
