import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { membersOf } from '../confinement/folder-members.ts'
import type { TaskFolder } from '../confinement/task-folders.ts'
import type { Dialect } from './dialect.ts'
import { unlessGone, type Engine } from './engine.ts'
import { createHelperContainer } from './helper-container.ts'
import { HOLD_PATH, PAUSE_PATH } from './helper-image.ts'
import type { Image } from '../image/image-archive.ts'
import { mountSettings, volumeSettings } from './task-mounts.ts'
import { writeTar } from '../image/tar-writer.ts'

/** What making volumes needs of its surroundings. */
export interface VolumeParts {
  readonly engine: Engine
  readonly helper: Image
  readonly dialect: Dialect
  /** Start of the names of what is made; unique to the task. */
  readonly prefix: string
  readonly labels: Readonly<Record<string, string>>
}

/** The folders of one task as volumes of the engine; disposal removes them, once no container has them. */
export interface TaskVolumes extends AsyncDisposable {
  readonly mounts: Docker.MountConfig
  /** Keeps the volumes mounted, from here until `release`. */
  hold(): Promise<void>
  /** Puts the files of these folders in place, through a container that has them and runs nothing of the job yet. */
  fill(container: Docker.Container, folders: readonly TaskFolder[]): Promise<void>
  /** Ends the holding, so that what lies in memory is gone when the task's container is. */
  release(): Promise<void>
}

/**
 * Makes the volumes of a task. The outputs folder is memory with a size, which the engine drops as soon as no container
 * uses it: before we could read it. So a second container, never started, keeps it mounted while one of its own files
 * is being read, slowly: for as long as we do not take the bytes. `release`, or our death, ends the reading. Where that does
 * not keep it, the second container runs, and sleeps.
 */
export async function makeVolumes(
  parts: VolumeParts,
  folders: readonly TaskFolder[],
  diskBytes: number,
): Promise<TaskVolumes> {
  const { engine, labels, dialect } = parts
  const volumes = folders.map((mount, at) => ({ mount, name: `${parts.prefix}-${at}` }))
  const mounts = volumes.map(({ name, mount }) => mountSettings(name, mount))
  const holding = new AsyncDisposableStack()
  let held: Promise<void> | undefined
  const release = async () => {
    await Promise.allSettled([held])
    await holding.disposeAsync()
  }
  await using made = new AsyncDisposableStack()
  for (const { name } of volumes) made.defer(() => unlessGone(engine.getVolume(name).remove()))
  const creating = volumes.map(({ name, mount }) =>
    engine.createVolume(volumeSettings(name, mount, diskBytes, labels, dialect)),
  )
  // all of them settled, so that what was made can be removed
  await Promise.allSettled(creating)
  await Promise.all(creating)
  made.defer(release)
  const owned = made.move()
  return {
    mounts,
    release,
    hold: () => (held = holdMounted(parts, mounts, holding)),
    fill: async (container, filled) => {
      for (const mount of filled.filter((one) => one.files.length > 0)) {
        const archive = Readable.from(writeTar(membersOf(mount)))
        await container.putArchive(archive, { path: mount.target })
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function holdMounted(
  parts: VolumeParts,
  mounts: Docker.MountConfig,
  holding: AsyncDisposableStack,
): Promise<void> {
  const { engine, helper, labels, dialect } = parts
  const holder = await createHelperContainer(engine, helper, {
    labels,
    host: { Mounts: mounts, Ulimits: [...dialect.ulimits], CapDrop: ['ALL'] },
    ...(dialect.isHeldByRunning && { program: PAUSE_PATH }),
  })
  holding.defer(() => unlessGone(holder.remove({ force: true })))
  if (dialect.isHeldByRunning) {
    await holder.start()
    return
  }
  const reading = await holder.getArchive({ path: HOLD_PATH })
  // its early end is ours, or the engine's death, which the task's own requests report
  reading.on('error', () => undefined)
  holding.defer(() => {
    if ('destroy' in reading && typeof reading.destroy === 'function') reading.destroy()
  })
}
