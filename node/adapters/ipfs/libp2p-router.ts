import type { Libp2p } from '@libp2p/interface'
import { peerIdFromCID } from '@libp2p/peer-id'
import type { Router } from 'helia'

const NAME = 'libp2p'

/** Lets Helia find peers and providers through the node's own DHT, and through nothing else. */
export function libp2pRouter(libp2p: Libp2p): Router {
  return {
    name: NAME,
    provide: (cid, options) => libp2p.contentRouting.provide(cid, options),
    cancelReprovide: (cid, options) => libp2p.contentRouting.cancelReprovide(cid, options),
    async *findProviders(cid, options) {
      for await (const { id, multiaddrs } of libp2p.contentRouting.findProviders(cid, options)) {
        yield { id: id.toCID(), multiaddrs, router: NAME, fallback: false }
      }
    },
    async findPeer(cid, options) {
      const { id, multiaddrs } = await libp2p.peerRouting.findPeer(peerIdFromCID(cid), options)
      return { id: id.toCID(), multiaddrs, router: NAME }
    },
    async *getClosestPeers(key, options) {
      for await (const { id, multiaddrs } of libp2p.peerRouting.getClosestPeers(key, options)) {
        yield { id: id.toCID(), multiaddrs, router: NAME }
      }
    },
  }
}
