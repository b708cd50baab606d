import type Docker from 'dockerode'
import { scratchOptions, secretOptions } from '../confinement/job-bounds.ts'
import type { TaskFolder } from '../confinement/task-folders.ts'

/** The engine's description of a new volume for `mount`. */
export function volumeSettings(
  name: string,
  mount: TaskFolder,
  diskBytes: number,
  labels: Readonly<Record<string, string>>,
): Docker.VolumeCreateOptions {
  return {
    Name: name,
    Driver: 'local',
    Labels: { ...labels },
    ...(mount.isOutput && inMemory(scratchOptions(diskBytes))),
    ...(mount.isSecret && inMemory(secretOptions(mount.files))),
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

function inMemory(o: string): Docker.VolumeCreateOptions {
  return { DriverOpts: { type: 'tmpfs', device: 'tmpfs', o } }
}
