import { setMaxListeners } from 'node:events'
import { withBitswap } from '@helia/bitswap'
import type { Libp2p, ServiceMap } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { HiveError } from '../../domain/errors.ts'
import type { BlockSource } from './fetch-attempt.ts'
import { findProviders } from './dht-providers.ts'
import { matches, type VerifiedBlockstore } from './verified-blockstore.ts'

type Host = Parameters<typeof withBitswap<ServiceMap>>[0]
type Mixin = Parameters<Host['addMixin']>[0]
type Broker = Exclude<Parameters<Host['addBlockBroker']>[0], (...args: never[]) => unknown>

interface Asking {
  readonly signal?: AbortSignal
}

/** What bitswap offers of itself to its host. */
interface Bitswap {
  announce(cid: CID, options?: Asking): Promise<void>
  retrieve(cid: CID, options: Asking): Promise<Uint8Array>
  createSession(options: { readonly providers?: CID[] }): Pick<Bitswap, 'retrieve'>
  stop(): Promise<void>
}

export interface BlockExchangeParts {
  readonly libp2p: Libp2p
  readonly blockstore: VerifiedBlockstore
}

/**
 * This node's blocks, and those of its peers by bitswap. A host for Helia's bitswap in place of the
 * whole of Helia, which loads WebRTC, HTTP gateways and certificates that no node here uses.
 */
export class BlockExchange implements BlockSource, AsyncDisposable {
  readonly blockstore: VerifiedBlockstore
  readonly #bitswap: Bitswap

  private constructor(blockstore: VerifiedBlockstore, bitswap: Bitswap) {
    this.blockstore = blockstore
    this.#bitswap = bitswap
  }

  /** Serves the store's blocks to peers from now on, until disposed of. */
  static async open({ libp2p, blockstore }: BlockExchangeParts): Promise<BlockExchange> {
    const mixins: Mixin[] = []
    const brokers: Broker[] = []
    const host = {
      status: 'starting',
      libp2p,
      blockstore,
      logger: libp2p.logger,
      routing: { findProviders: findProviders(libp2p) },
      // blocks under any other hash are not ours: bitswap drops them
      getHasher: async () => sha256,
      hasBlockBroker: () => brokers.length > 0,
      addBlockBroker: (broker: Broker) => brokers.push(broker),
      addMixin: (mixin: Mixin) => mixins.push(mixin),
    }
    const helia = withBitswap(host as unknown as Host, { runOnLimitedConnections: true })
    for (const mixin of mixins) await mixin.start?.(helia)
    const [broker] = brokers
    if (broker === undefined) throw new HiveError('INTERNAL', { expected: 'bitswap' })
    return new BlockExchange(blockstore, broker as unknown as Bitswap)
  }

  /** A block from the store, else from any connected peer or whom the DHT names. */
  get(cid: CID, options: Asking = {}): AsyncGenerator<Uint8Array> {
    return this.#get(this.#bitswap, cid, options)
  }

  /** As {@link BlockExchange.get}, but asks few peers, `providers` first, and remembers who has what. */
  session(providers: readonly CID[]): BlockSource {
    const session = this.#bitswap.createSession({ providers: [...providers] })
    return { get: (cid, options = {}) => this.#get(session, cid, options) }
  }

  /** Whether a block is in the store. */
  async has(cid: CID): Promise<boolean> {
    return await this.blockstore.has(cid)
  }

  /** Keeps a block and sends it to the peers that wait for it. */
  async put(cid: CID, bytes: Uint8Array): Promise<CID> {
    if (await this.blockstore.has(cid)) {
      await this.blockstore.touch(cid)
      return cid
    }
    await this.blockstore.put(cid, bytes)
    await this.#bitswap.announce(cid)
    return cid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bitswap.stop()
  }

  async *#get(
    from: Pick<Bitswap, 'retrieve'>,
    cid: CID,
    { signal }: Asking,
  ): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted()
    if (await this.blockstore.has(cid)) return yield* this.blockstore.get(cid)
    // each peer asked listens on it
    if (signal !== undefined) setMaxListeners(Infinity, signal)
    const bytes = await from.retrieve(cid, signal === undefined ? {} : { signal })
    if (!matches(cid, bytes)) throw new HiveError('CONTENT_NOT_FOUND', { cid: cid.toString() })
    await this.put(cid, bytes)
    yield bytes
  }
}
