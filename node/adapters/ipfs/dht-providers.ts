import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** Lets bitswap find providers through the node's own DHT, and through nothing else. */
export function findProviders(libp2p: Libp2p) {
  return async function* (cid: CID, options?: { readonly signal?: AbortSignal }) {
    for await (const { id, multiaddrs } of libp2p.contentRouting.findProviders(cid, options)) {
      yield { id: id.toCID(), multiaddrs, router: 'libp2p', fallback: false }
    }
  }
}
