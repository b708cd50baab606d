import { createHash } from 'node:crypto'
import { HiveError } from '../../domain/errors.ts'
import { encodeImageConfig, type ImageConfig } from './image-config.ts'
import { bytesOfLayer, type LayeredImage } from './layered-image.ts'
import { packTar, TAR_END, writeMember, type TarMember } from './tar-writer.ts'

/** An image of which every byte is in memory. */
export interface Image extends LayeredImage {
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
  for (const member of head(image)) yield* writeMember(member)
  for (const [at, bytes] of image.layers.entries()) yield* layerMember(at, bytes)
  yield TAR_END
}

/** The same archive while its layers come; only one of them is in memory at a time. Throws what getting one does. */
export async function* layeredArchive(image: LayeredImage): AsyncGenerator<Uint8Array> {
  for (const member of head(image)) yield* writeMember(member)
  for (const [at, layer] of image.layers.entries())
    yield* layerMember(at, await bytesOfLayer(layer))
  yield TAR_END
}

function head({ config, layers }: LayeredImage): readonly TarMember[] {
  const paths = layers.map((_, at) => pathOf(at))
  const manifest = [{ Config: 'config.json', RepoTags: null, Layers: paths }]
  return [
    { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest)) },
    { path: 'config.json', bytes: config },
  ]
}

function* layerMember(at: number, bytes: Uint8Array): Generator<Uint8Array> {
  yield* writeMember({ path: String(at) })
  yield* writeMember({ path: pathOf(at), bytes })
}

function pathOf(at: number): string {
  return `${at}/layer.tar`
}
