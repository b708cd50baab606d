import { randomBytes } from 'node:crypto'
import { type Libp2pNet, openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { createKeySigner } from '../../node/adapters/system/key-signer.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { Hardware } from '../../node/domain/advert.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { Presence } from '../../node/services/presence.ts'
import { createSigning, type Signing } from '../../node/services/signing.ts'
import type { Store } from '../../node/ports/store.ts'
import { MemoryStore } from './memory-store.ts'
import { quietLogger } from './quiet-logger.ts'
import { NETWORK, TEST_HARDWARE } from './test-market.ts'

/** A real node on loopback that says what it is, and nothing else. */
export interface RealPresence extends AsyncDisposable {
  readonly net: Libp2pNet
  readonly signing: Signing
  readonly presence: Presence
  /** Waits until this node's DHT knows the other, which must be up. */
  dial(other: RealPresence): Promise<void>
}

/** What such a node is; left out: a node that takes no jobs, with a key of its own. */
export interface RealPresencePlan {
  readonly kinds?: readonly string[]
  readonly hardware?: Partial<Hardware>
  readonly privateKey?: Uint8Array
  /** What outlives its process: its state, and the folder of its network. */
  readonly disk?: { readonly store: Store; readonly dir: string }
  /** Whether adverts of others are checked and chosen among; left out: yes. */
  readonly checks?: boolean
}

/** Opens one, connected to nobody; it advertises as soon as its presence is started. */
export async function openRealPresence(plan: RealPresencePlan = {}): Promise<RealPresence> {
  await using stack = new AsyncDisposableStack()
  const { kinds = [], hardware = {}, privateKey = randomBytes(32), disk, checks = true } = plan
  const escrow = `0x${'ee'.repeat(20)}` as const
  const signing = createSigning(
    createEnvelopeCodec({ chainId: 1, escrow }),
    createKeySigner(privateKey),
  )
  const logger = quietLogger()
  const known: { presence?: Presence } = {}
  const net = stack.use(
    await openLibp2pNet(
      { logger, privateKey, ...(disk !== undefined && { datastoreDir: disk.dir }) },
      {
        network: NETWORK,
        allowPrivateAddresses: true,
        wantedPeers: 0,
        ...(checks && {
          validateAdvert: async (peer, bytes) => {
            known.presence?.admit(bytes, peer)
          },
          selectAdvert: (adverts) => known.presence?.newest(adverts) ?? 0,
        }),
      },
    ),
  )
  const { directory, requests } = net
  const store = disk?.store ?? new MemoryStore()
  const presence = stack.use(
    new Presence(
      { clock: systemClock, logger, store, directory, requests, signing },
      { network: NETWORK, kinds, hardware: { ...TEST_HARDWARE, ...hardware } },
    ),
  )
  known.presence = presence
  const resources = stack.move()
  return {
    net,
    signing,
    presence,
    async dial(other) {
      const [address = ''] = other.net.directory.addresses()
      await directory.dial(address, { signal: new AbortController().signal })
      while (!(await knows(net, other)) || !(await knows(other.net, { net })))
        await new Promise((resolve) => setTimeout(resolve, 5))
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** The DHT's table of peers, which its public type does not show. */
interface TableInside {
  readonly routingTable: { find(peer: unknown): Promise<unknown> }
}

async function knows({ libp2p }: Libp2pNet, { net }: Pick<RealPresence, 'net'>): Promise<boolean> {
  const { routingTable } = libp2p.services.dht as unknown as TableInside
  return (await routingTable.find(net.libp2p.peerId)) !== undefined
}
