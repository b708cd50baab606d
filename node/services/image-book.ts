import { HiveError } from '../domain/errors.ts'
import type { Cid } from '../domain/ids.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import {
  decodeImageManifest,
  encodeImageManifest,
  imageBytesOf,
  imageIdOf,
  type ImageLayer,
  type ImageManifest,
} from '../protocol/image-manifest.ts'
import { MAX_IMAGE_MANIFEST_BYTES } from '../protocol/limits.ts'
import { Table } from './table.ts'

/** What is known of an image that is content. */
export interface StoredImage {
  readonly cid: Cid
  /** `sha256:` and hex: what an engine calls it. */
  readonly id: string
  /** Of its configuration and all layers, bytes. */
  readonly size: number
  readonly layers: readonly ImageLayer[]
}

/** An image that this node keeps until its user gives it up. */
export interface ImageRecord extends StoredImage {
  /** What it was added from, in the user's words. */
  readonly source: string
  /** Unix ms. */
  readonly addedAt: number
}

/** The images that a user has added to the node. */
export class ImageBook {
  readonly #parts: { readonly clock: Clock; readonly blobs: Blobs }
  readonly #images: Table<ImageRecord>

  constructor(parts: { readonly clock: Clock; readonly store: Store; readonly blobs: Blobs }) {
    this.#parts = parts
    this.#images = new Table(parts.store, 'image/')
  }

  /** Stores the manifest, whose layers must be here. Throws `MESSAGE_TOO_LARGE`, `CONTENT_NOT_FOUND`. */
  async store(manifest: ImageManifest): Promise<StoredImage> {
    const { blobs } = this.#parts
    const block = encodeImageManifest(manifest)
    // read again as whoever is given it will read it
    decodeImageManifest(block)
    const cid = await blobs.addBlock(block)
    if (!(await blobs.has(cid))) throw new HiveError('CONTENT_NOT_FOUND', { cid, part: 'a layer' })
    return describe(cid, manifest)
  }

  /** Keeps a stored image from being swept away. */
  async keep(image: StoredImage, source: string): Promise<ImageRecord> {
    const record = { ...image, source, addedAt: this.#parts.clock.now() }
    await this.#images.put(image.cid, record)
    return record
  }

  /** The images that are kept, the newest first. */
  async list(): Promise<ImageRecord[]> {
    const images: ImageRecord[] = []
    for await (const image of this.#images.all()) images.push(image)
    return images.sort((a, b) => b.addedAt - a.addedAt)
  }

  /** Any image by its CID; asks the network for one that is not here. Throws as fetching a block does. */
  async find(cid: Cid, signal: AbortSignal): Promise<StoredImage> {
    const options = { maxBytes: MAX_IMAGE_MANIFEST_BYTES, signal }
    return describe(cid, decodeImageManifest(await this.#parts.blobs.getBlock(cid, options)))
  }

  /** Lets the image go with the next sweep. Throws `IMAGE_UNKNOWN`. */
  async remove(cid: Cid): Promise<void> {
    if ((await this.#images.get(cid)) === undefined) throw new HiveError('IMAGE_UNKNOWN', { cid })
    await this.#images.remove(cid)
  }
}

function describe(cid: Cid, manifest: ImageManifest): StoredImage {
  const { layers } = manifest
  return { cid, id: imageIdOf(manifest), size: imageBytesOf(manifest), layers }
}
