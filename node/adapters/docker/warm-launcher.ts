import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { Architecture } from '../image/tiny-program.ts'
import { writeTar } from '../image/tar-writer.ts'
import { LABELS } from './container-settings.ts'
import { unlessGone } from './engine.ts'
import { createHelperContainer } from './helper-container.ts'
import type { TaskEngine } from './task-engine.ts'
import { mountSettings, volumeSettings } from './task-mounts.ts'
import { launchProgram } from './warm-program.ts'

/** The launching program in the engine; disposal removes it, once no container has it. */
export interface Launcher extends AsyncDisposable {
  /** Where it lies in a container with `mount`. */
  readonly path: string
  readonly mount: Docker.MountConfig[number]
}

/** A name that images do not have; one that does only hides its own files from itself. */
const FOLDER = '/.computehive'
const NAME = 'launch'

/** Gives the launching program to the engine, in a volume that containers may share because none can write to it. */
export async function openLauncher(
  { engine, helper, nodeId }: TaskEngine,
  architecture: Architecture,
): Promise<Launcher> {
  await using made = new AsyncDisposableStack()
  const key = createHash('sha256').update(nodeId).digest('hex')
  const name = `computehive-${key.slice(0, 24)}-launcher`
  const labels = { [LABELS.node]: nodeId }
  const folder = { target: FOLDER, isOutput: false, isSecret: false, files: [] }
  await engine.createVolume(volumeSettings(name, folder, 0, labels))
  made.defer(() => unlessGone(engine.getVolume(name).remove()))
  const mount = mountSettings(name, folder)
  const filler = await createHelperContainer(engine, helper, { labels, host: { Mounts: [mount] } })
  const program = { path: NAME, bytes: launchProgram(architecture), mode: 0o755 }
  try {
    await filler.putArchive(Readable.from(writeTar([program])), { path: FOLDER })
  } finally {
    await unlessGone(filler.remove({ force: true }))
  }
  const owned = made.move()
  return {
    path: `${FOLDER}/${NAME}`,
    mount: { ...mount, ReadOnly: true },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
