import { createHash } from 'node:crypto'
import { HiveError } from '../../domain/errors.ts'
import { encodeImageConfig, type ImageConfig } from './image-config.ts'
import { packTar, writeTar, type TarMember } from './tar-writer.ts'

/** An image of which every byte is known: what the engine is given, and under which id it will hold it. */
export interface Image {
  /** `sha256:<hex>` of `config`; pins the layers through their digests. */
  readonly id: string
  readonly config: Uint8Array
  /** Uncompressed layer archives, bottom first. */
  readonly layers: readonly Uint8Array[]
}

/** What an image is made from. */
export interface ImageParts {
  readonly architecture: string
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env?: readonly string[]
  readonly workingDir?: string
  readonly members: readonly TarMember[]
}

/** An image of one layer. Equal parts give equal bytes and an equal id on every machine. */
export function composeImage(parts: ImageParts): Image {
  const layer = packTar(parts.members)
  return imageOf(
    {
      architecture: parts.architecture,
      env: parts.env ?? [],
      entrypoint: parts.entrypoint ?? [],
      cmd: parts.cmd ?? [],
      workingDir: parts.workingDir ?? '',
      diffIds: [`sha256:${createHash('sha256').update(layer).digest('hex')}`],
    },
    [layer],
  )
}

/** The image that `config` and its layers make. */
export function imageOf(config: ImageConfig, layers: readonly Uint8Array[]): Image {
  if (config.diffIds.length !== layers.length) {
    throw new HiveError('IMAGE_INVALID', { rule: 'one digest for each layer' })
  }
  const bytes = encodeImageConfig(config)
  return {
    id: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    config: bytes,
    layers,
  }
}

/** The image as a docker-archive in pieces: untagged, so that loading it can never move a name. */
export function* imageArchive(image: Image): Generator<Uint8Array> {
  const layers = image.layers.map((bytes, at) => ({ path: `${at}/layer.tar`, bytes }))
  const manifest = [
    { Config: 'config.json', RepoTags: null, Layers: layers.map((layer) => layer.path) },
  ]
  yield* writeTar([
    { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest)) },
    { path: 'config.json', bytes: image.config },
    ...layers.flatMap((layer, at) => [{ path: String(at) }, layer]),
  ])
}
