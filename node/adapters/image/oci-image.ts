import { createHash } from 'node:crypto'
import { HiveError } from '../../domain/errors.ts'
import { KiB } from '../../domain/units.ts'
import { MAX_IMAGE_LAYERS } from '../../protocol/limits.ts'
import type { LayeredProgram } from '../../ports/sandbox.ts'
import { readJson } from './archive-files.ts'
import { asRecord } from './image-config.ts'
import { unpacked } from './packed-bytes.ts'

/** Gets a blob of an OCI layout or of a registry by its digest; it is checked by whoever asked. */
export type BlobSource = (
  digest: string,
  maxBytes: number,
  kind: 'manifests' | 'blobs',
) => Promise<Uint8Array>

export interface OciOptions {
  /** Which of several machines' images is taken, as the format spells it: `amd64`, `arm64`. */
  readonly architecture: string
  /** Most bytes of all layers, packed or not. */
  readonly maxBytes: number
}

/** Largest manifest, list of manifests or configuration, bytes. */
const MAX_JSON_BYTES: number = 256 * KiB
/** A list may name a list; nobody nests them deeper. */
const MAX_DEPTH = 3

/**
 * The image that a manifest describes, or, of a list of manifests, the one for this kind of machine. Source: OCI image
 * format 1.1. Every blob is held to its digest.
 * @throws HiveError IMAGE_INVALID, and what getting a blob throws
 */
export async function readOciImage(
  manifest: Uint8Array,
  blobs: BlobSource,
  options: OciOptions,
): Promise<LayeredProgram> {
  const { config, layers } = await findManifest(manifest, blobs, options, MAX_DEPTH)
  if (layers.length > MAX_IMAGE_LAYERS) throw refused('wrong number of layers')
  const sizes = layers.reduce((sum, { size }) => sum + size, 0)
  if (sizes > options.maxBytes) throw refused('the image is too large')
  return {
    config: await blobOf(blobs, config.digest, MAX_JSON_BYTES, 'blobs'),
    layers: layers.map(({ digest, size }) => async () => {
      return await unpacked(await blobOf(blobs, digest, size, 'blobs'), options.maxBytes)
    }),
  }
}

interface Descriptor {
  readonly digest: string
  readonly size: number
}

async function findManifest(
  bytes: Uint8Array,
  blobs: BlobSource,
  options: OciOptions,
  depth: number,
): Promise<{ readonly config: Descriptor; readonly layers: readonly Descriptor[] }> {
  const found = asRecord(readJson(bytes))
  if (found['config'] !== undefined)
    return { config: descriptor(found['config']), layers: listOf(found['layers']).map(descriptor) }
  const choices = listOf(found['manifests'])
  const fitting = choices.filter((each) => {
    const platform = asRecord(asRecord(each)['platform'] ?? {})
    const { os = 'linux', architecture = options.architecture } = platform
    return os === 'linux' && architecture === options.architecture
  })
  const [choice] = fitting
  if (choice === undefined || depth === 0)
    throw refused(`there is no image for linux/${options.architecture}`)
  if (fitting.length > 1 && depth === MAX_DEPTH && asRecord(choice)['platform'] === undefined)
    throw refused('exactly one image in an archive')
  const manifest = await blobOf(blobs, descriptor(choice).digest, MAX_JSON_BYTES, 'manifests')
  return await findManifest(manifest, blobs, options, depth - 1)
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw refused('a list was expected')
  return value
}

function descriptor(value: unknown): Descriptor {
  const { digest, size } = asRecord(value)
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw refused('a blob has no SHA-256 digest')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw refused('a blob has no size')
  return { digest, size }
}

async function blobOf(
  blobs: BlobSource,
  digest: string,
  maxBytes: number,
  kind: 'manifests' | 'blobs',
): Promise<Uint8Array> {
  return await checkedBlob(async () => blobs(digest, maxBytes, kind), digest, maxBytes)
}

/** A blob held to its digest and size. @throws HiveError IMAGE_INVALID, and what getting it throws */
export async function checkedBlob(
  get: () => Promise<Uint8Array>,
  digest: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = await get()
  if (bytes.byteLength > maxBytes) throw refused('a blob is larger than said')
  if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest)
    throw refused('a blob does not match its digest')
  return bytes
}

function refused(rule: string): HiveError {
  return new HiveError('IMAGE_INVALID', { rule })
}
