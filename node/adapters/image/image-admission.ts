import { webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HiveError } from '../../domain/errors.ts'
import { KiB } from '../../domain/units.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import { imageOf, type Image } from './image-archive.ts'
import { asRecord, decodeImageConfig, MAX_LAYERS, words } from './image-config.ts'
import { layerTree, MAX_ENTRIES } from './layer-tree.ts'
import { readTar } from './tar-reader.ts'

/** Largest manifest or configuration, bytes; those of real images stay below 20 KiB. */
const MAX_JSON_BYTES: number = 256 * KiB

const unzip = promisify(gunzip)

/**
 * Reads a stranger's docker-archive (plain or gzipped) and makes of it an image that is safe to hand to the engine.
 * Nothing is passed through: the archive around the layers and the configuration are written anew, and each layer
 * must match its digest and hold only files, links and folders that stay inside. Unpacked layers together count
 * against `maxBytes`.
 * @throws HiveError IMAGE_INVALID with the broken rule
 */
export async function admitImage(
  bytes: Uint8Array,
  maxBytes: number = MAX_IMAGE_BYTES,
): Promise<Image> {
  const files = new Map<string, Uint8Array>()
  for (const entry of readTar(await plain(bytes, maxBytes))) {
    if (entry.kind !== 'file') continue
    if (files.has(entry.path)) throw refused('two files of the archive have one name')
    files.set(entry.path, entry.bytes)
  }
  const manifest = readManifest(files)
  const config = decodeImageConfig(readJson(files, manifest.config))
  if (config.diffIds.length !== manifest.layers.length) throw refused('one digest for each layer')
  return imageOf(config, await admitLayers(files, manifest.layers, config.diffIds, maxBytes))
}

async function admitLayers(
  files: ReadonlyMap<string, Uint8Array>,
  paths: readonly string[],
  diffIds: readonly string[],
  maxBytes: number,
): Promise<readonly Uint8Array[]> {
  const layers: Uint8Array[] = []
  let room = maxBytes
  let entries = 0
  for (const [at, path] of paths.entries()) {
    const layer = await plain(find(files, path), room)
    room -= layer.length
    const digest = await webcrypto.subtle.digest('SHA-256', new Uint8Array(layer))
    const id = `sha256:${Buffer.from(digest).toString('hex')}`
    if (id !== diffIds[at]) throw refused('a layer does not match its digest')
    entries += layerTree(layer).entries
    if (entries > MAX_ENTRIES) throw refused('the image has too many files')
    layers.push(layer)
  }
  return layers
}

function readManifest(files: ReadonlyMap<string, Uint8Array>): {
  readonly config: string
  readonly layers: readonly string[]
} {
  const list = readJson(files, 'manifest.json')
  if (!Array.isArray(list) || list.length !== 1) throw refused('exactly one image in an archive')
  const image = asRecord(list[0])
  if (words(image['RepoTags']).length > 0) throw refused('the archive names a tag')
  const layers = words(image['Layers'])
  if (layers.length > MAX_LAYERS) throw refused('wrong number of layers')
  return { config: words([image['Config']])[0] ?? '', layers }
}

function readJson(files: ReadonlyMap<string, Uint8Array>, path: string): unknown {
  const bytes = find(files, path)
  if (bytes.length > MAX_JSON_BYTES) throw refused(`${path} is too large`)
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw refused('a JSON file cannot be read', cause)
  }
}

function find(files: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const bytes = files.get(path)
  if (bytes === undefined) throw refused('the archive lacks a file that it names')
  return bytes
}

/** The bytes as they are, or unpacked when they are gzip; never more than `maxBytes`. */
async function plain(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (bytes.length > maxBytes) throw refused('the image is too large')
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return await unzip(bytes, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (cause) {
    throw refused('the gzip data is damaged or unpacks to too much', cause)
  }
}

function refused(rule: string, cause?: unknown): HiveError {
  return new HiveError('IMAGE_INVALID', { rule }, { cause })
}
