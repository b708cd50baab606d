import type { Cid, PeerId } from '../domain/ids.ts'

/** How to get content. */
export interface FetchOptions {
  readonly signal: AbortSignal
  /** Asked first; the DHT second. */
  readonly from?: PeerId
  /** Content beyond this is refused with CONTENT_TOO_LARGE before it is all fetched, bytes. */
  readonly maxBytes: number
}

/** Content by hash, on this node and on others. Every byte read was verified against its CID. */
export interface Blobs {
  /** Stores a file and returns its CID; the same bytes always give the same CID. */
  add(bytes: Uint8Array): Promise<Cid>
  /** Stores one dag-cbor block whose CID commits to its SHA-256; at most 1 MiB. */
  addBlock(bytes: Uint8Array): Promise<Cid>
  /** A file's bytes. Throws CONTENT_NOT_FOUND, CONTENT_TOO_LARGE, CANCELLED. */
  get(cid: Cid, options: FetchOptions): Promise<Uint8Array>
  /** A dag-cbor block's bytes. Same errors. */
  getBlock(cid: Cid, options: FetchOptions): Promise<Uint8Array>
  /** Whether all of it is here, without asking the network. */
  has(cid: Cid): Promise<boolean>
}
