import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/**
 * Lets streams to a peer that is reached through a relay go over the connection there is. libp2p takes such a connection
 * for none, because the relay may end it, and would make another one for every stream.
 */
export function reuseRelayed<T extends Libp2p>(libp2p: T): T {
  const dial = libp2p.dialProtocol.bind(libp2p)
  libp2p.dialProtocol = async (to, protocols, options) => {
    const open = options?.runOnLimitedConnection === true ? relayed(libp2p, String(to)) : undefined
    return open === undefined ? dial(to, protocols, options) : open.newStream(protocols, options)
  }
  return libp2p
}

/** A connection through a relay to the peer of this id, where there is no other. */
function relayed(libp2p: Libp2p, id: string): Connection | undefined {
  if (id.startsWith('/')) return undefined
  const open = libp2p.getConnections(peerIdFromString(id)).filter((one) => one.status === 'open')
  return open.every(({ limits }) => limits !== undefined) ? open[0] : undefined
}
