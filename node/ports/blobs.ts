import type { Cid, PeerId } from '../domain/ids.ts'

/** How to get content. */
export interface FetchOptions {
  readonly signal: AbortSignal
  /** Asked first; the DHT second. */
  readonly from?: PeerId
  /** Content beyond this is refused with CONTENT_TOO_LARGE before it is all fetched, bytes. */
  readonly maxBytes: number
}

/** What a sweep must leave. */
export interface SweepOptions {
  /** Content that stays, with all that is under it. Asked for once, after the sweep has begun. */
  readonly keep: AsyncIterable<Cid>
  /** Bytes of other content that may stay, the most recently used first. */
  readonly cacheBytes: number
  /** Unix ms; content that was added or read since then stays in any case. */
  readonly unusedSince: number
  readonly signal: AbortSignal
}

/** What a sweep did. */
export interface Swept {
  /** Pieces removed; how much a piece is, is the adapter's own affair. */
  readonly blocks: number
  readonly bytes: number
  /** Content that is still here. */
  readonly leftBytes: number
}

/** Content by hash, on this node and on others. Every byte read was verified against its CID. */
export interface Blobs {
  /** Stores a file and returns its CID; the same bytes always give the same CID. */
  add(bytes: Uint8Array): Promise<Cid>
  /** Stores one dag-cbor block whose CID commits to its SHA-256; at most 1 MiB. What it links to is under it. */
  addBlock(bytes: Uint8Array): Promise<Cid>
  /** A file's bytes. Throws CONTENT_NOT_FOUND, CONTENT_TOO_LARGE, CANCELLED. */
  get(cid: Cid, options: FetchOptions): Promise<Uint8Array>
  /** A dag-cbor block's bytes. Same errors. */
  getBlock(cid: Cid, options: FetchOptions): Promise<Uint8Array>
  /** Whether all of it is here, without asking the network. */
  has(cid: Cid): Promise<boolean>
  /** Frees what nobody keeps and nobody used lately, the longest unused first. */
  sweep(options: SweepOptions): Promise<Swept>
}
