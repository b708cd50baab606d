import { HiveError } from '../../node/domain/errors.ts'
import type { PeerId } from '../../node/domain/ids.ts'
import type { ConnectedPeer, Directory } from '../../node/ports/directory.ts'
import type { CallOptions } from '../../node/ports/requests.ts'
import { MAX_ADVERT_BYTES } from '../../node/protocol/limits.ts'
import type { FakeNetwork } from './fake-network.ts'

/** A directory whose DHT is exact: it finds every node that advertised and is still there. */
export class FakeDirectory implements Directory {
  readonly #network: FakeNetwork
  readonly #peer: PeerId
  #advert: Uint8Array | undefined
  readonly #tags = new Set<string>()

  constructor(network: FakeNetwork, peer: PeerId) {
    this.#network = network
    this.#peer = peer
  }

  addresses(): readonly string[] {
    return [addressOf(this.#peer)]
  }

  connected(): readonly ConnectedPeer[] {
    return this.#network
      .neighbours(this.#peer)
      .map(({ peer }) => ({ peer, addresses: [addressOf(peer)], latencyMs: 0 }))
  }

  async dial(address: string, { signal }: CallOptions): Promise<PeerId> {
    throwIfCancelled(signal)
    const peer = address.split('/p2p/')[1] ?? ''
    if (!this.#network.connect(this.#peer, peer)) {
      throw new HiveError('PEER_UNREACHABLE', { address })
    }
    return peer
  }

  async advertise(
    advert: Uint8Array,
    tags: readonly string[],
    { signal }: CallOptions,
  ): Promise<void> {
    throwIfCancelled(signal)
    if (advert.byteLength > MAX_ADVERT_BYTES) {
      throw new HiveError('MESSAGE_TOO_LARGE', {
        bytes: advert.byteLength,
        maxBytes: MAX_ADVERT_BYTES,
      })
    }
    this.#advert = new Uint8Array(advert)
    for (const tag of tags) this.#tags.add(tag)
  }

  async withdraw(tags: readonly string[], { signal }: CallOptions): Promise<void> {
    throwIfCancelled(signal)
    for (const tag of tags) this.#tags.delete(tag)
  }

  async *find(tag: string, { signal }: CallOptions): AsyncGenerator<PeerId> {
    for (const { peer, directory } of this.#network.nodes()) {
      throwIfCancelled(signal)
      if (peer !== this.#peer && directory.#tags.has(tag)) yield peer
    }
  }

  async advertOf(peer: PeerId, { signal }: CallOptions): Promise<Uint8Array | undefined> {
    throwIfCancelled(signal)
    const found = this.#network.node(peer)
    return found === undefined ? undefined : found.directory.#advert?.slice()
  }
}

function addressOf(peer: PeerId): string {
  return `/memory/fake/p2p/${peer}`
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
}
