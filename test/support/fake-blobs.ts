import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { HiveError } from '../../node/domain/errors.ts'
import type { Cid, PeerId } from '../../node/domain/ids.ts'
import { MiB } from '../../node/domain/units.ts'
import { linksOfBlock } from '../../node/protocol/block-links.ts'
import type { Blobs, FetchOptions, SweepOptions, Swept } from '../../node/ports/blobs.ts'

const DAG_CBOR = 0x71
const SHA2_256 = 0x12

/** The contents of every node that shares it, by peer. */
export type FakeContentNetwork = Map<PeerId, Map<Cid, Uint8Array>>

/** Where content comes from, and when. */
export interface FakeBlobsOptions {
  /** Unix ms. Default: the machine's clock. */
  readonly now: () => number
  /** Resolves when so many bytes have come from a holder; rejects when they cannot. */
  readonly bring: (from: PeerId, bytes: number) => Promise<void>
}

const AT_ONCE: FakeBlobsOptions = {
  now: () => Date.now(),
  bring: async () => {
    await new Promise(setImmediate)
  },
}

/**
 * Content over a shared map: any node's content is found. Files are one raw block each, so a large
 * file's CID is not the one that IPFS would give it.
 */
export class FakeBlobs implements Blobs {
  readonly #network: FakeContentNetwork
  readonly #own = new Map<Cid, Uint8Array>()
  readonly #usedAt = new Map<Cid, number>()
  readonly #peer: PeerId
  readonly #options: FakeBlobsOptions

  constructor(
    network: FakeContentNetwork = new Map(),
    peer: PeerId = '',
    options: FakeBlobsOptions = AT_ONCE,
  ) {
    this.#network = network
    this.#peer = peer
    this.#options = options
    network.set(peer, this.#own)
  }

  async add(bytes: Uint8Array): Promise<Cid> {
    return this.#put(raw.code, bytes)
  }

  async addBlock(bytes: Uint8Array): Promise<Cid> {
    if (bytes.byteLength > MiB) throw tooLarge(bytes.byteLength, MiB)
    return this.#put(DAG_CBOR, bytes)
  }

  async get(cid: Cid, options: FetchOptions): Promise<Uint8Array> {
    const found = isOurs(cid) ? this.#find(cid, options.from) : undefined
    const [holder, bytes] = found ?? [this.#peer, undefined]
    await this.#options.bring(holder, Math.min(bytes?.byteLength ?? 0, options.maxBytes))
    if (options.signal.aborted) {
      throw new HiveError('CANCELLED', {}, { cause: options.signal.reason })
    }
    if (bytes === undefined) throw new HiveError('CONTENT_NOT_FOUND', { cid })
    if (bytes.byteLength > options.maxBytes) throw tooLarge(bytes.byteLength, options.maxBytes)
    this.#own.set(cid, bytes)
    this.#usedAt.set(cid, this.#options.now())
    return bytes.slice()
  }

  async getBlock(cid: Cid, options: FetchOptions): Promise<Uint8Array> {
    return this.get(cid, options)
  }

  async has(cid: Cid): Promise<boolean> {
    return this.#under([cid]).every((each) => this.#own.has(each))
  }

  async sweep({ keep, cacheBytes, unusedSince, signal }: SweepOptions): Promise<Swept> {
    const kept = new Set<Cid>()
    for await (const cid of keep) for (const each of this.#under([cid])) kept.add(each)
    signal.throwIfAborted()
    const usedAt = (cid: Cid) => this.#usedAt.get(cid) ?? 0
    const sizes = (cids: readonly Cid[]) =>
      cids.reduce((sum, cid) => sum + (this.#own.get(cid)?.byteLength ?? 0), 0)
    const loose = [...this.#own.keys()].filter((cid) => !kept.has(cid))
    loose.sort((a, b) => usedAt(a) - usedAt(b))
    let left = sizes(loose)
    const swept = { blocks: 0, bytes: 0 }
    for (const cid of loose) {
      if (left <= cacheBytes || usedAt(cid) >= unusedSince) break
      const bytes = sizes([cid])
      this.#own.delete(cid)
      left -= bytes
      swept.blocks++
      swept.bytes += bytes
    }
    return { ...swept, leftBytes: sizes([...this.#own.keys()]) }
  }

  /** The contents themselves, and those that blocks among them link to. */
  #under(cids: readonly Cid[]): Cid[] {
    return cids.flatMap((cid) => {
      const bytes = isOurs(cid) && CID.parse(cid).code === DAG_CBOR ? this.#own.get(cid) : undefined
      return [cid, ...(bytes === undefined ? [] : this.#under(linksOfBlock(bytes)))]
    })
  }

  #find(cid: Cid, from: PeerId | undefined): readonly [PeerId, Uint8Array] | undefined {
    const first = from === undefined ? [this.#peer] : [this.#peer, from]
    for (const peers of [first, this.#network.keys()]) {
      for (const peer of peers) {
        const bytes = this.#network.get(peer)?.get(cid)
        if (bytes !== undefined) return [peer, bytes]
      }
    }
    return undefined
  }

  async #put(codec: number, bytes: Uint8Array): Promise<Cid> {
    const cid = CID.createV1(codec, await sha256.digest(bytes)).toString()
    this.#own.set(cid, bytes.slice())
    this.#usedAt.set(cid, this.#options.now())
    return cid
  }
}

function isOurs(text: Cid): boolean {
  try {
    const cid = CID.parse(text)
    return cid.version === 1 && cid.multihash.code === SHA2_256
  } catch {
    // not a CID: nobody has it
    return false
  }
}

function tooLarge(bytes: number, maxBytes: number): HiveError {
  return new HiveError('CONTENT_TOO_LARGE', { bytes, maxBytes })
}
