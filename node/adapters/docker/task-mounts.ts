import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import type { SandboxFile, SandboxTask } from '../../ports/sandbox.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'
import { scratchOptions } from './container-settings.ts'

/** One folder that a task gets besides its image. */
export interface TaskMount {
  readonly target: string
  /** Whether the job may write there; sized by the task's disk limit. */
  readonly isOutput: boolean
  readonly files: readonly SandboxFile[]
}

/** Top folders that are the kernel's or the engine's own inside every container. */
const RESERVED: ReadonlySet<string> = new Set(['dev', 'etc', 'proc', 'sys'])

/**
 * Which folders a task needs: its outputs folder, and the top folder of each input file. A mounted folder hides what
 * the image has in that place, so inputs cannot lie at the root itself.
 * @throws HiveError TASK_START_FAILED for a path that no mount can serve
 */
export function planMounts(task: SandboxTask): readonly TaskMount[] {
  const { outputs, files } = task
  if (!isSandboxPath(outputs) || isReserved(outputs)) throw unusable(outputs)
  const inside = (file: SandboxFile) => file.path.startsWith(`${outputs}/`)
  const tops = new Map<string, SandboxFile[]>()
  for (const file of files.filter((file) => !inside(file))) {
    const parts = file.path.split('/')
    const isPlaced = isSandboxPath(file.path) && parts.length >= 3 && !isReserved(file.path)
    if (!isPlaced) throw unusable(file.path)
    const top = `/${parts[1] ?? ''}`
    if (top === outputs) throw unusable(file.path)
    tops.set(top, [...(tops.get(top) ?? []), file])
  }
  return [
    ...[...tops].map(([target, own]) => ({ target, isOutput: false, files: own })),
    { target: outputs, isOutput: true, files: files.filter(inside) },
  ]
}

/** The engine's description of a new volume for `mount`. */
export function volumeSettings(
  name: string,
  mount: TaskMount,
  diskBytes: number,
  labels: Readonly<Record<string, string>>,
): Docker.VolumeCreateOptions {
  return {
    Name: name,
    Driver: 'local',
    Labels: { ...labels },
    ...(mount.isOutput && {
      DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: scratchOptions(diskBytes) },
    }),
  }
}

/** How a container sees the volume. NoCopy: an image's own content may not fill it. */
export function mountSettings(name: string, mount: TaskMount): Docker.MountConfig[number] {
  return {
    Type: 'volume',
    Source: name,
    Target: mount.target,
    ReadOnly: false,
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
  }
}

function isReserved(path: string): boolean {
  return RESERVED.has(path.split('/')[1] ?? '')
}

function unusable(path: string): HiveError {
  return new HiveError('TASK_START_FAILED', {
    path,
    rule: 'a mount needs a folder of its own, not at the root nor in /dev, /etc, /proc or /sys',
  })
}
