import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { second } from '../../domain/units.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { CallOptions } from '../../ports/requests.ts'
import type { Sight } from '../../ports/sight.ts'
import type { HiveServices } from './create-node.ts'

/** Longest that one more connection to a peer that is there may take, ms. */
const DIAL_TIMEOUT_MS: number = 5 * second
/** Addresses of one peer that are tried. */
const MAX_ADDRESSES = 4

/** What the gossip service has beside its public type. */
interface Mesh {
  getMeshPeers(topic: string): readonly string[]
}

/** Looks from this node at others, and at how it hangs in the meshes. */
export class NodeSight implements Sight {
  readonly #libp2p: Libp2p<HiveServices>

  constructor(libp2p: Libp2p<HiveServices>) {
    this.#libp2p = libp2p
  }

  neighbours(topic: string): number {
    return (this.#libp2p.services.pubsub as unknown as Mesh).getMeshPeers(topic).length
  }

  async reaches(peer: PeerId, { signal }: CallOptions): Promise<boolean | undefined> {
    const id = peerIdFromString(peer)
    const hosts = new Set(
      this.#libp2p.getConnections(id).map(({ remoteAddr }) => hostOf(remoteAddr)),
    )
    hosts.delete(undefined)
    const { addresses } = await this.#libp2p.peerStore.get(id, { signal })
    const own = addresses
      .map(({ multiaddr }) => multiaddr)
      .filter((address) => hosts.has(hostOf(address)))
    if (own.length === 0) return undefined
    try {
      const connection = await this.#libp2p.dial(own.slice(0, MAX_ADDRESSES), {
        signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]),
        force: true,
      })
      await connection.close({ signal })
      return true
    } catch {
      // that it cannot be dialled is the answer
      return false
    }
  }
}

/** The IP address in a multiaddr that goes there directly. */
function hostOf(address: Multiaddr): string | undefined {
  const parts = address.getComponents()
  if (parts.some(({ name }) => name === 'p2p-circuit')) return undefined
  const [first] = parts
  return first?.name === 'ip4' || first?.name === 'ip6' ? first.value : undefined
}
