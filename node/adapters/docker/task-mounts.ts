import type Docker from 'dockerode'
import { scratchOptions, secretOptions } from '../confinement/job-bounds.ts'
import type { TaskFolder } from '../confinement/task-folders.ts'
import { DOCKER, type Dialect } from './dialect.ts'

/** The engine's description of a new volume for `mount`. */
export function volumeSettings(
  name: string,
  mount: TaskFolder,
  diskBytes: number,
  labels: Readonly<Record<string, string>>,
  { inMemory }: Pick<Dialect, 'inMemory'> = DOCKER,
): Docker.VolumeCreateOptions {
  const memory = (o: string) => ({ DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: inMemory(o) } })
  return {
    Name: name,
    Driver: 'local',
    Labels: { ...labels },
    ...(mount.isOutput && memory(scratchOptions(diskBytes))),
    ...(mount.isSecret && memory(secretOptions(mount.files))),
  }
}

/** How a container sees the volume. NoCopy: an image's own content may not fill it. */
export function mountSettings(name: string, mount: TaskFolder): Docker.MountConfig[number] {
  return {
    Type: 'volume',
    Source: name,
    Target: mount.target,
    ReadOnly: false,
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
  }
}
