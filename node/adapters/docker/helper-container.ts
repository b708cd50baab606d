import type Docker from 'dockerode'
import { refusalOf, type Engine } from './engine.ts'
import { loadIntoEngine } from './engine-image.ts'
import type { Image } from '../image/image-archive.ts'

/** What differs between containers of the helper image. */
export interface HelperSettings {
  readonly labels: Readonly<Record<string, string>>
  readonly host: Docker.HostConfig
  readonly abortSignal?: AbortSignal
}

/**
 * A container of the helper image, without network, not started. The image has no name, so somebody's cleaning may have
 * taken it; then it is given to the engine once more.
 */
export async function createHelperContainer(
  engine: Engine,
  helper: Image,
  settings: HelperSettings,
): Promise<Docker.Container> {
  const create = () =>
    engine.createContainer({
      ...(settings.abortSignal && { abortSignal: settings.abortSignal }),
      Image: helper.id,
      Labels: { ...settings.labels },
      NetworkDisabled: true,
      HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true, ...settings.host },
    })
  try {
    return await create()
  } catch (error) {
    if (refusalOf(error)?.status !== 404) throw error
    await loadIntoEngine(engine, helper)
    return await create()
  }
}
