import { unixfs } from '@helia/unixfs'
import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Cid } from '../../domain/ids.ts'
import { MiB, second } from '../../domain/units.ts'
import type { Blobs, FetchOptions, SweepOptions, Swept } from '../../ports/blobs.ts'
import type { Logger } from '../../ports/logger.ts'
import { BlockExchange } from './block-exchange.ts'
import { sweepBlocks } from './block-sweep.ts'
import { checkSize, ContentFetcher } from './content-fetcher.ts'
import { cidOfBlock, parseCid } from './content-id.ts'
import { isStored } from './stored-dag.ts'
import { VerifiedBlockstore } from './verified-blockstore.ts'

/** What content needs. */
export interface HeliaParts {
  readonly logger: Logger
  /** A started node. It is not stopped with the content; dispose of the content first. */
  readonly libp2p: Libp2p
}

/** Where content is kept, and how patiently it is fetched. */
export interface HeliaOptions {
  readonly blocksDir: string
  /** Time without any block after which another way is tried, ms. @default HELIA_DEFAULTS.stallMs */
  readonly stallMs?: number
  /** Whether files are announced in the DHT when added. @default HELIA_DEFAULTS.announce */
  readonly announce?: boolean
}

export const HELIA_DEFAULTS = { stallMs: 20 * second, announce: false } as const satisfies Omit<
  HeliaOptions,
  'blocksDir'
>

/** Largest dag-cbor block, bytes; half of what other IPFS nodes accept. */
const MAX_BLOCK_BYTES = 1 * MiB

/**
 * Starts bitswap on a libp2p node. Only that node's peers are ever asked. Throws
 * DATA_UNUSABLE when `blocksDir` cannot be used.
 */
export async function openHeliaBlobs(
  parts: HeliaParts,
  options: HeliaOptions,
): Promise<HeliaBlobs> {
  const blockstore = new VerifiedBlockstore(options.blocksDir)
  try {
    await blockstore.open()
  } catch (cause) {
    throw new HiveError('DATA_UNUSABLE', { dir: options.blocksDir }, { cause })
  }
  const { libp2p, logger } = parts
  const blocks = await BlockExchange.open({ libp2p, blockstore })
  return new HeliaBlobs({ blocks, libp2p, logger: logger.child('content') }, options)
}

/** The port over Helia's UnixFS and bitswap. Made by {@link openHeliaBlobs}. */
export class HeliaBlobs implements Blobs, AsyncDisposable {
  readonly #blocks: BlockExchange
  readonly #libp2p: Libp2p
  readonly #logger: Logger
  readonly #fetcher: ContentFetcher
  readonly #announces: boolean
  readonly #running = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor(
    parts: HeliaParts & { readonly blocks: BlockExchange },
    options: Omit<HeliaOptions, 'blocksDir'>,
  ) {
    const { stallMs, announce } = { ...HELIA_DEFAULTS, ...options }
    this.#blocks = parts.blocks
    this.#libp2p = parts.libp2p
    this.#logger = parts.logger
    this.#fetcher = new ContentFetcher(parts, { stallMs })
    this.#announces = announce
  }

  async add(bytes: Uint8Array): Promise<Cid> {
    // the profile fixes 1 MiB chunks, raw leaves and CID version 1, so that all nodes agree
    const cid = await unixfs({ blockstore: this.#blocks }).addBytes(bytes, {
      profile: 'unixfs-v1-2025',
    })
    if (this.#announces) this.#announce(cid)
    return cid.toString()
  }

  async addBlock(bytes: Uint8Array): Promise<Cid> {
    checkSize(bytes.byteLength, MAX_BLOCK_BYTES)
    const cid = await cidOfBlock(bytes)
    await this.#blocks.put(cid, bytes)
    return cid.toString()
  }

  async get(cid: Cid, options: FetchOptions): Promise<Uint8Array> {
    return await this.#fetcher.file(parseCid(cid), this.#untilStop(options))
  }

  async getBlock(cid: Cid, options: FetchOptions): Promise<Uint8Array> {
    return await this.#fetcher.block(parseCid(cid), this.#untilStop(options))
  }

  async has(cid: Cid): Promise<boolean> {
    try {
      return await isStored(this.#blocks.blockstore, parseCid(cid))
    } catch (error) {
      // no CID of ours, or a damaged block that was just removed: not all of it is here
      this.#logger.debug('content not whole', { cid: cid.slice(0, 128), code: codeOf(error) })
      return false
    }
  }

  async sweep(options: SweepOptions): Promise<Swept> {
    return await sweepBlocks(this.#blocks.blockstore, this.#untilStop(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
    await this.#blocks[Symbol.asyncDispose]()
  }

  #untilStop<T extends { readonly signal: AbortSignal }>(options: T): T {
    return { ...options, signal: AbortSignal.any([options.signal, this.#stop.signal]) }
  }

  #announce(cid: CID): void {
    const announcing = this.#provide(cid).finally(() => this.#running.delete(announcing))
    this.#running.add(announcing)
  }

  async #provide(cid: CID): Promise<void> {
    try {
      await this.#libp2p.contentRouting.provide(cid, { signal: this.#stop.signal })
    } catch (error) {
      // a hint for others, lost when nobody is connected; the content itself is here
      this.#logger.debug('announcement failed', { cid: cid.toString(), error: String(error) })
    }
  }
}
