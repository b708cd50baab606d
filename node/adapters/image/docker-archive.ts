import { HiveError } from '../../domain/errors.ts'
import { MAX_IMAGE_LAYERS } from '../../protocol/limits.ts'
import type { LayeredProgram } from '../../ports/sandbox.ts'
import { readJson, type ArchiveFiles } from './archive-files.ts'
import { asRecord, words } from './image-config.ts'
import { unpacked } from './packed-bytes.ts'

/** What a docker-archive's one manifest is in. */
export const DOCKER_MANIFEST = 'manifest.json'

/**
 * The image of a docker-archive as `docker save` writes it, and the names that it gives the image.
 * @throws HiveError IMAGE_INVALID
 */
export function readDockerArchive(
  files: ArchiveFiles,
  maxBytes: number,
): { readonly tags: readonly string[]; readonly program: LayeredProgram } {
  const list = readJson(files.read(DOCKER_MANIFEST))
  if (!Array.isArray(list) || list.length !== 1) throw refused('exactly one image in an archive')
  const image = asRecord(list[0])
  const layers = words(image['Layers'])
  if (layers.length > MAX_IMAGE_LAYERS) throw refused('wrong number of layers')
  return {
    tags: words(image['RepoTags']),
    program: {
      config: files.read(words([image['Config']])[0] ?? ''),
      layers: layers.map((path) => async () => unpacked(files.read(path), maxBytes)),
    },
  }
}

function refused(rule: string): HiveError {
  return new HiveError('IMAGE_INVALID', { rule })
}
