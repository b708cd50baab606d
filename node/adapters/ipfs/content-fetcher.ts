import { type UnixFSComponents, unixfs } from '@helia/unixfs'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { PeerId } from '../../domain/ids.ts'
import type { FetchOptions } from '../../ports/blobs.ts'
import type { Logger } from '../../ports/logger.ts'
import type { BlockExchange } from './block-exchange.ts'
import { type BlockSource, FetchAttempt } from './fetch-attempt.ts'

/** Blocks of one file asked for at once; bounds memory, and a slow line still finishes some. */
const BLOCK_CONCURRENCY = 8
/** Attempts without any new block, one after the other, before content counts as not found. */
const MAX_EMPTY_ATTEMPTS = 3

type Read = (attempt: FetchAttempt) => Promise<Uint8Array>

/** Reads content from this node's store, and what is missing there from peers. */
export class ContentFetcher {
  readonly #blocks: BlockExchange
  readonly #logger: Logger
  readonly #stallMs: number

  constructor(
    parts: { readonly blocks: BlockExchange; readonly logger: Logger },
    options: { readonly stallMs: number },
  ) {
    this.#blocks = parts.blocks
    this.#logger = parts.logger
    this.#stallMs = options.stallMs
  }

  /** A UnixFS file. Throws CONTENT_NOT_FOUND, CONTENT_TOO_LARGE or CANCELLED. */
  async file(root: CID, options: FetchOptions): Promise<Uint8Array> {
    return await this.#fetch(root, options, async (attempt) => {
      const files = unixfs({ blockstore: readOnly(attempt) })
      const { size } = await files.stat(root, { signal: attempt.signal })
      checkSize(size, options.maxBytes)
      const how = { signal: attempt.signal, blockReadConcurrency: BLOCK_CONCURRENCY }
      // counted again while it comes: the size above is what a stranger wrote into the root
      return await join(files.cat(root, how), options.maxBytes)
    })
  }

  /** One block. Throws the same. */
  async block(root: CID, options: FetchOptions): Promise<Uint8Array> {
    return await this.#fetch(root, options, (attempt) => join(attempt.get(root), options.maxBytes))
  }

  async #fetch(root: CID, options: FetchOptions, read: Read): Promise<Uint8Array> {
    const limits = { stallMs: this.#stallMs, maxBytes: options.maxBytes }
    const seen = new Set<string>()
    let cause: unknown
    for (let empty = 0; empty < MAX_EMPTY_ATTEMPTS;) {
      throwIfCancelled(options.signal)
      const source = this.#source(options.from, empty)
      using attempt = new FetchAttempt(source, seen, options.signal, limits)
      try {
        return await read(attempt)
      } catch (error) {
        if (codeOf(error) === 'CONTENT_TOO_LARGE') throw error
        cause = error
      }
      const { newBlocks } = attempt
      this.#logger.debug('fetch attempt failed', { cid: root.toString(), newBlocks, empty })
      // blocks that came stay here, so an attempt that brought some was worth its time
      empty = newBlocks > 0 ? 0 : empty + 1
    }
    throwIfCancelled(options.signal)
    throw new HiveError('CONTENT_NOT_FOUND', { cid: root.toString() }, { cause })
  }

  /**
   * First a session with the named peer, or with what the DHT finds; then, since a session never
   * asks a peer again that failed once, a fresh one; at last every connected peer and the DHT.
   */
  #source(from: PeerId | undefined, empty: number): BlockSource {
    const hint = providerOf(from)
    if (empty > (hint === undefined ? 0 : 1)) return this.#blocks
    return this.#blocks.session(hint === undefined ? [] : [hint])
  }
}

/** Throws CONTENT_TOO_LARGE when `bytes` is more than `maxBytes`. */
export function checkSize(bytes: number | bigint, maxBytes: number): void {
  if (bytes > maxBytes) throw new HiveError('CONTENT_TOO_LARGE', { bytes, maxBytes })
}

async function join(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.byteLength
    checkSize(length, maxBytes)
    parts.push(chunk)
  }
  return new Uint8Array(Buffer.concat(parts))
}

function providerOf(peer: PeerId | undefined): CID | undefined {
  try {
    return peer === undefined ? undefined : peerIdFromString(peer).toCID()
  } catch {
    // a hint that names nobody is no hint
    return undefined
  }
}

function readOnly(attempt: FetchAttempt): UnixFSComponents['blockstore'] {
  return {
    get: (cid) => attempt.get(cid),
    has: async () => false,
    put: async () => {
      throw new HiveError('INTERNAL', { expected: 'reading only' })
    },
  }
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new HiveError('CANCELLED', {}, { cause: signal.reason })
}
