import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { DOCKER_DEFAULTS } from './adapters/docker/docker-sandbox.ts'
import { buildImage, exportImage } from './adapters/docker/engine-export.ts'
import { bytesOfLayer } from './adapters/image/layered-image.ts'
import { readImageArchive, readImagePath } from './adapters/image/image-reading.ts'
import { imageArchitecture } from './adapters/image/tiny-program.ts'
import type { ImageRequest, ReadImage } from './cli/parts.ts'
import { HiveError } from './domain/errors.ts'

const OF_ENGINE = 'docker:'
const DOCKERFILE = /^Dockerfile(\..+)?$|\.Dockerfile$/i

/** Reads what a user names as an image. Throws IMAGE_UNREADABLE or IMAGE_INVALID. */
export async function readImageSource(request: ImageRequest): Promise<ReadImage> {
  const { source, cwd, changes, signal } = request
  const reading = { changes, architecture: request.architecture ?? imageArchitecture() }
  const use = { signal, socketPath: request.socketPath ?? DOCKER_DEFAULTS.socketPath }
  const ofEngine = async (name: string) => readImageArchive(await exportImage(name, use), reading)
  const read = async () => {
    if (source.startsWith(OF_ENGINE)) return ofEngine(source.slice(OF_ENGINE.length))
    const path = resolve(cwd, source)
    const dockerfile = DOCKERFILE.test(basename(path)) ? path : join(path, 'Dockerfile')
    return (await isFile(dockerfile))
      ? ofEngine(await buildImage(dockerfile, use))
      : readImagePath(path, reading)
  }
  const { id, config, layers } = await read().catch((cause: unknown) => {
    if (cause instanceof HiveError) throw cause
    throw new HiveError('IMAGE_UNREADABLE', { source, said: String(cause) }, { cause })
  })
  return { id, config, layers: layers.map((layer) => async () => bytesOfLayer(layer)) }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false, // it is not there
  )
}
