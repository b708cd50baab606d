import { mkdir } from 'node:fs/promises'
import type { Libp2p } from '@libp2p/interface'
import { LevelDatastore } from 'datastore-level'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { Conversations } from '../../ports/conversations.ts'
import type { Directory, Reachability, Relaying } from '../../ports/directory.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Sight } from '../../ports/sight.ts'
import { createNode, type HiveServices } from './create-node.ts'
import { DhtDirectory } from './dht-directory.ts'
import { MeshGossip } from './mesh-gossip.ts'
import { LIBP2P_DEFAULTS, type Libp2pOptions } from './options.ts'
import { NodeSight } from './node-sight.ts'
import { networkSizeOf } from './network-size.ts'
import { PeerKeeper } from './peer-keeper.ts'
import { StreamRequests } from './stream-requests.ts'

/** What a node's network is made of. */
export interface Libp2pParts {
  readonly logger: Logger
  /** The node's secp256k1 secret, 32 bytes; its PeerId follows from it. */
  readonly privateKey: Uint8Array
  /** Folder for what libp2p remembers between runs; in memory when absent. */
  readonly datastoreDir?: string
}

/** A running libp2p node as the ports see it. Disposal ends handlers, then connections. */
export interface Libp2pNet extends AsyncDisposable {
  readonly peer: PeerId
  readonly gossip: Gossip
  readonly requests: Requests & Conversations
  readonly directory: Directory
  readonly reachability: () => Reachability
  readonly relaying: () => Relaying
  readonly sight: Sight
  /** The node itself, for the one other adapter that speaks its own protocol over it. */
  readonly libp2p: Libp2p<HiveServices>
}

/**
 * Starts a libp2p node that listens, dials its bootstrap peers and nothing else. Throws PORT_IN_USE,
 * CONFIG_INVALID for addresses that cannot be listened on, DATA_LOCKED or DATA_DAMAGED.
 */
export async function openLibp2pNet(
  parts: Libp2pParts,
  options: Libp2pOptions,
): Promise<Libp2pNet> {
  const { bootstrap, wantedPeers, maxStreams } = { ...LIBP2P_DEFAULTS, ...options }
  const logger = parts.logger.child('net')
  await using stack = new AsyncDisposableStack()
  const datastore = await openDatastore(parts.datastoreDir)
  stack.defer(() => datastore?.close())
  const libp2p = await createNode({ privateKey: parts.privateKey, datastore }, options)
  stack.defer(() => libp2p.stop())
  const keeper = stack.use(new PeerKeeper({ libp2p, logger }, { bootstrap, wantedPeers }))
  const { timeoutMs } = options
  const requests = stack.use(new StreamRequests({ libp2p, logger }, { maxStreams, timeoutMs }))
  const directory = stack.use(new DhtDirectory({ libp2p, logger }, options))
  keeper.start()
  const resources = stack.move()
  return {
    peer: libp2p.peerId.toString(),
    gossip: new MeshGossip({
      pubsub: libp2p.services.pubsub,
      logger,
      networkSize: networkSizeOf(libp2p.services.dht, libp2p.peerId),
    }),
    requests,
    directory,
    reachability: () => libp2p.services.reach.reachability,
    relaying: () => libp2p.services.reach.relaying,
    sight: new NodeSight(libp2p),
    libp2p,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function openDatastore(dir: string | undefined): Promise<LevelDatastore | undefined> {
  if (dir === undefined) return undefined
  const datastore = new LevelDatastore(dir)
  try {
    await mkdir(dir, { recursive: true })
    // not datastore.open(): it keeps the reason of a failure to itself
    await datastore.db.open()
  } catch (cause) {
    const locked = codesOf(cause).includes('LEVEL_LOCKED')
    throw new HiveError(locked ? 'DATA_LOCKED' : 'DATA_DAMAGED', { dir }, { cause })
  }
  return datastore
}

/** Codes of an error and its causes; Level puts the reason one level down. */
function codesOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return []
  return ['code' in error ? error.code : undefined, ...codesOf(error.cause)]
}
