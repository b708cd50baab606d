import { createHash } from 'node:crypto'
import { autoNATv2 } from '@libp2p/autonat-v2'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { dcutr } from '@libp2p/dcutr'
import { type GossipSub, gossipsub, type GossipsubOpts, StrictNoSign } from '@libp2p/gossipsub'
import { type Identify, identify, type IdentifyPush, identifyPush } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import {
  type KadDHT,
  kadDHT,
  passthroughMapper,
  removePrivateAddressesMapper,
} from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import type { LevelDatastore } from 'datastore-level'
import { createLibp2p } from 'libp2p'
import { HiveError } from '../../domain/errors.ts'
import { MiB, minute } from '../../domain/units.ts'
import { AddressChecks } from './address-checks.ts'
import { advertSelector, advertValidator, ADVERT_NAMESPACE } from './advert-records.ts'
import { HolePunch } from './hole-punch.ts'
import {
  LIBP2P_DEFAULTS,
  type Libp2pOptions,
  MAX_GOSSIP_BYTES,
  PEER_MEMORY_MS,
  PROVIDER_LEFT_MS,
  PROVIDER_VALIDITY_MS,
} from './options.ts'
import { reuseRelayed } from './relayed-streams.ts'
import { Reach, type ReachComponents } from './reach.ts'

/** The libp2p services that every node runs. */
export type HiveServices = {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  dht: KadDHT
  pubsub: GossipSub
  reach: Reach
  dcutr: unknown
  autoNAT?: unknown
  addressChecks?: unknown
  upnp?: unknown
}

/** Largest receive window of a stream, bytes; must stay below libp2p's read buffer of 4 MiB. */
const MAX_STREAM_WINDOW_BYTES = 1 * MiB
/** Ping streams a connection may hold: its monitor, the DHT and we share them, and a refused ping kills it. */
const PING_STREAMS = 16
const IP_COLOCATION_WEIGHT = -5
/** New connections from one IP address in a second. */
const INBOUND_PER_SECOND = { public: 10, local: 100 }

/** Starts a libp2p node. Throws PORT_IN_USE when an address to listen on is taken. */
export async function createNode(
  parts: { readonly privateKey: Uint8Array; readonly datastore: LevelDatastore | undefined },
  options: Libp2pOptions,
): Promise<Libp2p<HiveServices>> {
  const { listen, announce, maxConnections, relay, viaRelays } = { ...LIBP2P_DEFAULTS, ...options }
  const local = options.allowPrivateAddresses ?? LIBP2P_DEFAULTS.allowPrivateAddresses
  const multicast = options.mdns ?? LIBP2P_DEFAULTS.mdns
  // seldom wanted, and a fifth of a megabyte
  const upnp = options.upnp === true ? (await import('@libp2p/upnp-nat')).uPnPNAT : undefined
  try {
    const libp2p = await createLibp2p<HiveServices>({
      privateKey: privateKeyFromRaw(parts.privateKey),
      ...(parts.datastore === undefined ? {} : { datastore: parts.datastore }),
      addresses: { listen: [...listen], announce: [...announce] },
      transports: [tcp(), circuitRelayTransport()],
      // the first that both ends have; TLS costs half of what Noise does for each byte
      connectionEncrypters: [tls(), noise()],
      ...(options.sharedKey && { connectionProtector: preSharedKey({ psk: options.sharedKey }) }),
      streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } })],
      peerDiscovery: multicast ? [mdns({ serviceTag: multicastName(options.network) })] : [],
      peerStore: { maxAddressAge: PEER_MEMORY_MS, maxPeerAge: PEER_MEMORY_MS },
      connectionManager: {
        maxConnections,
        inboundConnectionThreshold: local ? INBOUND_PER_SECOND.local : INBOUND_PER_SECOND.public,
        maxIncomingPendingConnections: 50,
      },
      services: {
        identify: identify(),
        identifyPush: identifyPush(),
        ping: ping({ maxInboundStreams: PING_STREAMS, maxOutboundStreams: PING_STREAMS }),
        dht: kadDHT({
          protocol: `/computehive/${options.network}/kad/1.0.0`,
          // at once, and not only once a public address was seen
          clientMode: false,
          allowQueryWithZeroPeers: true,
          peerInfoMapper: local ? passthroughMapper : removePrivateAddressesMapper,
          reprovide: {
            validity: PROVIDER_VALIDITY_MS,
            threshold: PROVIDER_LEFT_MS,
            interval: minute,
          },
          validators: { [ADVERT_NAMESPACE]: advertValidator(options) },
          selectors: { [ADVERT_NAMESPACE]: advertSelector(options) },
        }),
        pubsub: gossipsub(gossipOptions(options, local)),
        reach: (components: ReachComponents) =>
          new Reach(components, { relay, viaRelays, allowPrivateAddresses: local }),
        dcutr: local ? dcutr() : (components: ReachComponents) => new HolePunch(components),
        // who asks strangers to call back tells them of itself: not where all is private
        ...(!local && {
          autoNAT: autoNATv2(),
          addressChecks: (components: ReachComponents) => new AddressChecks(components),
        }),
        ...(upnp && { upnp: upnp() }),
      },
    })
    return reuseRelayed(libp2p)
  } catch (cause) {
    throw startFault(cause, listen)
  }
}

function gossipOptions(options: Libp2pOptions, local: boolean): Partial<GossipsubOpts> {
  return {
    // messages carry their own signature, which the topic's validator checks
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: (message) =>
      createHash('sha256').update(message.topic).update('\0').update(message.data).digest(),
    fallbackToFloodsub: false,
    batchPublish: true,
    ignoreDuplicatePublishError: true,
    // small messages cost less to receive twice than to refuse
    idontwantMinDataSize: 16 * 1024,
    maxInboundDataLength: 4 * MAX_GOSSIP_BYTES,
    maxOutboundBufferSize: 16 * MiB,
    // an announcement is small, and who is behind a relay would hear of none
    runOnLimitedConnection: true,
    scoreParams: {
      IPColocationFactorWeight: options.ipColocationWeight ?? (local ? 0 : IP_COLOCATION_WEIGHT),
    },
  }
}

/** Nodes of other networks must not answer; the name has to fit one DNS label. */
function multicastName(network: string): string {
  const digest = createHash('sha256').update(network).digest('hex').slice(0, 12)
  return `_computehive-${digest}._udp.local`
}

function startFault(cause: unknown, listen: readonly string[]): HiveError {
  const taken = /EADDRINUSE/.test(messages(cause))
  return new HiveError(taken ? 'PORT_IN_USE' : 'CONFIG_INVALID', { listen }, { cause })
}

/** Everything that an error and the errors inside it say. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors : []
  return [error.message, ...[error.cause, ...inner].filter(Boolean).map(messages)].join(' ')
}
