import { HiveError } from '../../domain/errors.ts'
import { MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import { ArchiveFiles } from './archive-files.ts'
import { readDockerArchive } from './docker-archive.ts'
import type { Image } from './image-archive.ts'
import { admitLayers, bytesOfLayer } from './layered-image.ts'
import { unpacked } from './packed-bytes.ts'

/**
 * Reads a stranger's docker-archive (plain, gzip or zstd) and makes of it an image that is safe to hand to the
 * engine. Nothing is passed through: the archive around the layers and the configuration are written anew, and each
 * layer must match its digest and hold only files, links and folders that stay inside. Unpacked layers together count
 * against `maxBytes`.
 * @throws HiveError IMAGE_INVALID with the broken rule
 */
export async function admitImage(
  bytes: Uint8Array,
  maxBytes: number = MAX_IMAGE_BYTES,
): Promise<Image> {
  const files = new ArchiveFiles(await unpacked(bytes, maxBytes))
  const { tags, program } = readDockerArchive(files, maxBytes)
  if (tags.length > 0) throw new HiveError('IMAGE_INVALID', { rule: 'the archive names a tag' })
  const image = admitLayers(program, maxBytes)
  const layers: Uint8Array[] = []
  for (const layer of image.layers) layers.push(await bytesOfLayer(layer))
  return { ...image, layers }
}
