import type { Libp2p } from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'
import { HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { ConnectedPeer, Directory } from '../../ports/directory.ts'
import type { Logger } from '../../ports/logger.ts'
import type { CallOptions } from '../../ports/requests.ts'
import { advertKey, advertSelector, advertValidator } from './advert-records.ts'
import { AdvertRepeater } from './advert-repeater.ts'
import { capabilityKey } from './capability-key.ts'
import type { HiveServices } from './create-node.ts'
import { DHT_TIMEOUT_MS, type Libp2pOptions } from './options.ts'
import { TagRenewal } from './tag-renewal.ts'

/** Messages of the DHT by which a record comes to be at a peer. */
const STORING: ReadonlySet<string> = new Set(['ADD_PROVIDER', 'PUT_VALUE'])

/** Connections of this node, and what the DHT says of others. */
export class DhtDirectory implements Directory, AsyncDisposable {
  readonly #libp2p: Libp2p<HiveServices>
  readonly #logger: Logger
  readonly #options: Libp2pOptions
  readonly #repeater: AdvertRepeater
  readonly #renewal = new TagRenewal()

  constructor(
    parts: { readonly libp2p: Libp2p<HiveServices>; readonly logger: Logger },
    options: Libp2pOptions,
  ) {
    this.#libp2p = parts.libp2p
    this.#logger = parts.logger
    this.#options = options
    this.#repeater = new AdvertRepeater(parts.libp2p.services.dht)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#repeater[Symbol.asyncDispose]()
  }

  addresses(): readonly string[] {
    return this.#libp2p.getMultiaddrs().map(String)
  }

  connected(): readonly ConnectedPeer[] {
    return this.#libp2p.getPeers().map((peer) => {
      const connections = this.#libp2p.getConnections(peer)
      return {
        peer: peer.toString(),
        addresses: connections.map(({ remoteAddr }) => remoteAddr.toString()),
        latencyMs: connections.find(({ rtt }) => rtt !== undefined)?.rtt,
      }
    })
  }

  async dial(address: string, { signal }: CallOptions): Promise<PeerId> {
    try {
      const { remotePeer } = await this.#libp2p.dial(multiaddr(address), { signal })
      return remotePeer.toString()
    } catch (cause) {
      throwIfCancelled(signal)
      // a relayed connection may be replaced by a direct one before the dial has ended
      const [, peer] = /\/p2p-circuit\/p2p\/([^/]+)$/.exec(address) ?? []
      if (this.#libp2p.getPeers().some((each) => each.toString() === peer)) return peer ?? ''
      throw new HiveError('PEER_UNREACHABLE', { address: address.slice(0, 200) }, { cause })
    }
  }

  async advertise(
    advert: Uint8Array,
    tags: readonly string[],
    { signal }: CallOptions,
  ): Promise<void> {
    throwIfCancelled(signal)
    const key = advertKey(this.#libp2p.peerId.toString())
    // the DHT stores anything here and reports nothing: what others would refuse is refused first
    await advertValidator(this.#options)(key, advert)
    const announce = (until: AbortSignal): Promise<void> => this.#announce(key, advert, tags, until)
    this.#repeater.repeat(announce)
    await this.#announce(key, advert, this.#renewal.due(tags, Date.now()), signal)
    throwIfCancelled(signal)
  }

  async withdraw(tags: readonly string[], { signal }: CallOptions): Promise<void> {
    throwIfCancelled(signal)
    this.#renewal.forget(tags)
    // its own records, also expired ones, are what the DHT announces again by itself
    for (const tag of tags)
      await this.#libp2p.services.dht.cancelReprovide(await this.#keyOf(tag), { signal })
  }

  async *find(tag: string, { signal }: CallOptions): AsyncGenerator<PeerId> {
    throwIfCancelled(signal)
    const limited = withTimeout(signal)
    const key = await this.#keyOf(tag)
    try {
      // through content routing, which also keeps the addresses found for a later dial
      for await (const { id } of this.#libp2p.contentRouting.findProviders(key, limited)) {
        if (!id.equals(this.#libp2p.peerId)) yield id.toString()
      }
    } catch (error) {
      throwIfCancelled(signal)
      this.#logger.debug('dht search failed', { tag, error: String(error) })
    }
  }

  async advertOf(peer: PeerId, { signal }: CallOptions): Promise<Uint8Array | undefined> {
    throwIfCancelled(signal)
    const key = advertKey(peer)
    const candidates: Uint8Array[] = []
    try {
      for await (const event of this.#libp2p.services.dht.get(key, withTimeout(signal))) {
        if (event.name === 'VALUE') return new Uint8Array(event.value)
        if (event.name === 'PEER_RESPONSE' && event.record) candidates.push(event.record.value)
      }
    } catch (error) {
      throwIfCancelled(signal)
      // a peer that could not be told of the newer record spoils the whole query; its finds remain
      this.#logger.debug('dht lookup failed', { peer, error: String(error) })
    }
    throwIfCancelled(signal)
    return await this.#best(key, candidates)
  }

  async #announce(
    key: Uint8Array,
    advert: Uint8Array,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { dht } = this.#libp2p.services
    const limited = withTimeout(signal)
    const from = Date.now()
    const provided = tags.map(async (tag) => {
      const told = dht.provide(await this.#keyOf(tag), limited)
      if (await this.#attempt(`provide ${tag}`, told)) this.#renewal.note(tag, from)
    })
    await Promise.all([this.#attempt('put advert', dht.put(key, advert, limited)), ...provided])
  }

  async #best(key: Uint8Array, candidates: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const validate = advertValidator(this.#options)
    const checks = await Promise.allSettled(candidates.map((record) => validate(key, record)))
    const valid = candidates.filter((_record, at) => checks[at]?.status === 'fulfilled')
    const best = valid.length === 0 ? undefined : valid[advertSelector(this.#options)(key, valid)]
    return best === undefined ? undefined : new Uint8Array(best)
  }

  /**
   * Runs a DHT operation for its effect. Alone, or with peers that fail, it has none; that is no error. Returns whether
   * somebody took what was sent for it to be stored.
   */
  async #attempt(operation: string, events: AsyncIterable<QueryEvent>): Promise<boolean> {
    let isStored = false
    try {
      for await (const event of events)
        isStored ||= event.name === 'PEER_RESPONSE' && STORING.has(event.messageName)
    } catch (error) {
      this.#logger.debug('dht operation failed', { operation, error: String(error) })
    }
    return isStored
  }

  async #keyOf(tag: string): Promise<CID> {
    return capabilityKey(this.#options.network, tag)
  }
}

function withTimeout(signal: AbortSignal): CallOptions {
  return { signal: AbortSignal.any([signal, AbortSignal.timeout(DHT_TIMEOUT_MS)]) }
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
}
