import type Docker from 'dockerode'
import { refusalOf, type Engine } from './engine.ts'
import { loadIntoEngine } from './engine-image.ts'
import type { Image } from '../image/image-archive.ts'

/** What differs between containers of the helper image. */
export interface HelperSettings {
  readonly labels: Readonly<Record<string, string>>
  readonly host: Docker.HostConfig
  /** Instead of the one that only exits. */
  readonly program?: string
  /** @default root, who can do nothing in it */
  readonly user?: string
  /** What it is called, and with it whoever shares its network. */
  readonly hostname?: string
  readonly abortSignal?: AbortSignal
}

/**
 * A container of the helper image, without network unless `host` says so, not started. The image has no name, so somebody's cleaning may have
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
      ...(settings.program !== undefined && { Cmd: [settings.program] }),
      ...(settings.hostname !== undefined && { Hostname: settings.hostname }),
      ...(settings.user !== undefined && { User: settings.user }),
      // one that joins another's network needs it
      NetworkDisabled: !settings.host.NetworkMode?.startsWith('container:'),
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
