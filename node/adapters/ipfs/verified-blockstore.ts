import { createHash } from 'node:crypto'
import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import type { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { HiveError } from '../../domain/errors.ts'

/**
 * Blocks as files. A block that no longer matches its CID, as after a power loss, is removed when it
 * is read and counts as absent, so that it is fetched again.
 */
export class VerifiedBlockstore extends FsBlockstore {
  readonly dir: string
  readonly #sharding: NextToLast

  constructor(dir: string) {
    const shardingStrategy = new NextToLast()
    super(dir, { shardingStrategy })
    this.dir = dir
    this.#sharding = shardingStrategy
  }

  /** Keeps a block, or throws DATA_UNUSABLE: most likely the disk is full. */
  override async put(cid: CID, bytes: Uint8Array): Promise<CID> {
    try {
      return await super.put(cid, bytes)
    } catch (cause) {
      throw new HiveError('DATA_UNUSABLE', { operation: 'put' }, { cause })
    }
  }

  /** Yields the whole block in one piece, or throws CONTENT_NOT_FOUND. */
  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    yield await this.read(cid)
  }

  /** The whole block, which counts as used now; or throws CONTENT_NOT_FOUND. */
  async read(cid: CID): Promise<Uint8Array> {
    const [bytes] = await Promise.all([this.peek(cid), this.touch(cid)])
    return bytes
  }

  /** Marks a block as used now: what was not for the longest time goes first. */
  async touch(cid: CID): Promise<void> {
    const now = new Date()
    // the file's own date is the record; a block that is not here has none
    await utimes(this.#pathOf(cid), now, now).catch(() => undefined)
  }

  /** The name of the file that holds a block. */
  fileOf(cid: CID): string {
    return this.#sharding.encode(cid).file
  }

  /** As {@link VerifiedBlockstore.read}, without counting as use. */
  async peek(cid: CID): Promise<Uint8Array> {
    const bytes = await this.#readFile(cid)
    if (matches(cid, bytes)) return bytes
    await this.delete(cid)
    throw new HiveError('CONTENT_NOT_FOUND', { cid: cid.toString(), damaged: true })
  }

  #pathOf(cid: CID): string {
    const { dir, file } = this.#sharding.encode(cid)
    return join(this.dir, dir, file)
  }

  async #readFile(cid: CID): Promise<Uint8Array> {
    try {
      const buffer = await readFile(this.#pathOf(cid))
      return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    } catch (cause) {
      throw new HiveError('CONTENT_NOT_FOUND', { cid: cid.toString() }, { cause })
    }
  }
}

/** Whether these are the bytes of a CID. Only over SHA-256: nothing else gets past the check of CIDs. */
export function matches(cid: CID, bytes: Uint8Array): boolean {
  if (cid.multihash.code !== sha256.code) return false
  return createHash('sha256').update(bytes).digest().equals(cid.multihash.digest)
}
