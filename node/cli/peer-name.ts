import type { PeerBody } from '../api/schemas/node.ts'
import { HiveError } from '../domain/errors.ts'
import type { NodeClient } from './node-client.ts'

/** A whole peer id names somebody whom this node need not know yet. */
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{46,64}$/

/**
 * The peer that a user means: a whole peer id, or of a connected one the end of its id or the start of its
 * address, as `hive peers` shows them. Throws `PEER_UNREACHABLE`.
 */
export async function peerNamed(
  client: NodeClient,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  if (PEER_ID.test(name)) return name
  const { peers } = await client.get<{ readonly peers: readonly PeerBody[] }>('/v1/peers', {
    signal,
  })
  const found = peers.filter(({ peer, address }) =>
    name.startsWith('0x') ? address.startsWith(name.toLowerCase()) : peer.endsWith(name),
  )
  const [first, ...others] = found
  if (first !== undefined && others.length === 0) return first.peer
  throw new HiveError('PEER_UNREACHABLE', {
    peer: name,
    reason: first === undefined ? 'not among the connected peers' : 'several peers are named so',
  })
}
