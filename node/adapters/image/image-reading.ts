import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import { MiB } from '../../domain/units.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import type { LayeredProgram } from '../../ports/sandbox.ts'
import { ArchiveFiles, readJson } from './archive-files.ts'
import { DOCKER_MANIFEST, readDockerArchive } from './docker-archive.ts'
import { readFolderTree } from './folder-tree.ts'
import { decodeImageConfig, encodeImageConfig, type ImageConfig } from './image-config.ts'
import { admitLayers, type LayeredImage } from './layered-image.ts'
import { layerTree, type TreeFolder } from './layer-tree.ts'
import { readOciImage } from './oci-image.ts'
import { unpacked } from './packed-bytes.ts'
import { packTree } from './tree-archive.ts'

/** How an image is read. */
export interface ImageReading {
  /** For an image that says none, and to choose one of several: `amd64`, `arm64`. */
  readonly architecture: string
  /** What is said instead of the image's own configuration; variables are put with its own. */
  readonly changes: Partial<Pick<ImageConfig, 'entrypoint' | 'cmd' | 'env' | 'workingDir'>>
}

/** Largest archive, bytes: an image and what is around its layers. */
const MAX_ARCHIVE_BYTES: number = MAX_IMAGE_BYTES + 16 * MiB
const OCI_MARK = 'oci-layout'
const OCI_INDEX = 'index.json'

/**
 * An image from a folder (an OCI layout, or the root of a file system) or an archive (of `docker save`, of an OCI
 * layout, or of a root; gzip and zstd are unpacked). The same content gives the same image, whatever it is called there.
 * @throws HiveError IMAGE_INVALID
 */
export async function readImagePath(path: string, reading: ImageReading): Promise<LayeredImage> {
  const found = await stat(path)
  if (!found.isDirectory()) {
    if (found.size > MAX_ARCHIVE_BYTES) throw refused('the image is too large')
    return await readImageArchive(await readFile(path), reading)
  }
  const index = await readFile(join(path, OCI_INDEX)).catch(() => undefined) // no layout: a root
  const isLayout = index !== undefined && (await isFile(join(path, OCI_MARK)))
  return isLayout
    ? admitted(
        await readOciImage(index, async (digest) => readFile(join(path, blobPath(digest))), {
          ...reading,
          maxBytes: MAX_IMAGE_BYTES,
        }),
        reading,
      )
    : admitted(rootOf(await readFolderTree(path, MAX_IMAGE_BYTES), reading), reading)
}

/** The image in an archive. Throws the same. */
export async function readImageArchive(
  bytes: Uint8Array,
  reading: ImageReading,
): Promise<LayeredImage> {
  const archive = await unpacked(bytes, MAX_ARCHIVE_BYTES)
  const files = new ArchiveFiles(archive)
  if (files.has(DOCKER_MANIFEST))
    return admitted(readDockerArchive(files, MAX_IMAGE_BYTES).program, reading)
  if (!files.has(OCI_MARK)) return admitted(rootOf(layerTree(archive).root, reading), reading)
  const blobs = async (digest: string) => files.read(blobPath(digest))
  const options = { ...reading, maxBytes: MAX_IMAGE_BYTES }
  return admitted(await readOciImage(files.read(OCI_INDEX), blobs, options), reading)
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

/** An image of one layer that says nothing of how it is run. */
function rootOf(tree: TreeFolder, { architecture }: ImageReading): LayeredProgram {
  const layer = packTree(tree)
  const diffIds = [`sha256:${createHash('sha256').update(layer).digest('hex')}`]
  const config = { architecture, env: [], entrypoint: [], cmd: [], workingDir: '', diffIds }
  return { config: encodeImageConfig(config), layers: [async () => layer] }
}

function admitted({ config, layers }: LayeredProgram, { changes }: ImageReading): LayeredImage {
  const own = decodeImageConfig(readJson(config))
  const names = new Set((changes.env ?? []).map(nameOf))
  const env = [...own.env.filter((each) => !names.has(nameOf(each))), ...(changes.env ?? [])]
  return admitLayers({ config: encodeImageConfig({ ...own, ...changes, env }), layers })
}

function nameOf(variable: string): string {
  return variable.split('=')[0] ?? ''
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false, // it is not there
  )
}

function refused(rule: string): HiveError {
  return new HiveError('IMAGE_INVALID', { rule })
}
