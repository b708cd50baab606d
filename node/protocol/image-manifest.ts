import { sha256 } from 'ethers'
import { HiveError } from '../domain/errors.ts'
import type { Cid } from '../domain/ids.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { cidLink } from './cid.ts'
import { MAX_IMAGE_BYTES, MAX_IMAGE_LAYERS, MAX_IMAGE_MANIFEST_BYTES } from './limits.ts'
import { list, malformed, uint64 } from './schema.ts'
import { bytesUpTo, record } from './shapes.ts'

/** One layer of an image as content: an uncompressed tar archive. */
export interface ImageLayer {
  readonly cid: Cid
  readonly size: number
}

/** An image as content: its CID is that of the block with this in it. */
export interface ImageManifest {
  /** The image's configuration, JSON in the OCI format; it has the digest of every layer. */
  readonly config: Uint8Array
  /** Bottom first. Links, so that whoever keeps the manifest keeps them too. */
  readonly layers: readonly ImageLayer[]
}

const imageManifest = record<ImageManifest>({
  config: bytesUpTo(MAX_IMAGE_MANIFEST_BYTES),
  layers: list(record<ImageLayer>({ cid: cidLink, size: uint64 }), MAX_IMAGE_LAYERS),
})

/** The manifest as its content block. Throws `MESSAGE_TOO_LARGE`. */
export function encodeImageManifest(manifest: ImageManifest): Uint8Array {
  const bytes = encodeCbor(imageManifest.toWire(manifest))
  if (bytes.byteLength > MAX_IMAGE_MANIFEST_BYTES) {
    const sizes = { bytes: bytes.byteLength, maxBytes: MAX_IMAGE_MANIFEST_BYTES }
    throw new HiveError('MESSAGE_TOO_LARGE', sizes)
  }
  return bytes
}

/** A stranger's manifest. Throws as {@link decodeCbor} does, also when its layers are too large together. */
export function decodeImageManifest(bytes: Uint8Array): ImageManifest {
  const manifest = imageManifest.fromWire(decodeCbor(bytes, MAX_IMAGE_MANIFEST_BYTES), 'image')
  return imageBytesOf(manifest) <= MAX_IMAGE_BYTES
    ? manifest
    : malformed('image.layers', `at most ${MAX_IMAGE_BYTES} bytes`)
}

/** The image's id, which pins its configuration and its layers wherever it is run: `sha256:` and hex. */
export function imageIdOf({ config }: Pick<ImageManifest, 'config'>): string {
  return sha256(config).replace('0x', 'sha256:')
}

/** What an image brings with it, bytes: its configuration and every layer, one that is there twice two times. */
export function imageBytesOf({ config, layers }: ImageManifest): number {
  return layers.reduce((sum, { size }) => sum + size, config.byteLength)
}
