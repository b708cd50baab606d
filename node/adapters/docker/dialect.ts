import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { KiB } from '../../domain/units.ts'
import { HOSTS, OPEN_FILES } from '../confinement/job-bounds.ts'
import { seccompProfile } from './seccomp-profile.ts'
import { TASK_LOG } from './task-log.ts'

/** What engines that answer to one API want to be told in words of their own. */
export interface Dialect {
  /** Our filter of system calls, after `seccomp=`. */
  readonly seccomp: string
  /** Security options that hide these paths, if the engine does not take a container's `MaskedPaths`. */
  readonly masks: (paths: readonly string[]) => readonly string[]
  readonly log: Docker.HostConfig['LogConfig']
  readonly ulimits: readonly Docker.Ulimit[]
  /** Mount options of a volume in memory. */
  readonly inMemory: (options: string) => string
  /** Mount options of a container's own memory. */
  readonly scratch: (options: string) => string
  /** How a job gets its volumes, and what else is to lie over files of the host that the engine would show. */
  readonly mounted: (mounts: Docker.MountConfig) => Pick<Docker.HostConfig, 'Mounts' | 'Binds'>
  /** Mount options of folders that the engine would let a job write though its root is read-only. */
  readonly sealed: Readonly<Record<string, string>>
  /** A volume in memory is there as long as a container with it runs; for others one that is being read is enough. */
  readonly isHeldByRunning: boolean
}

const as = (options: string): string => options

const ULIMITS: readonly Docker.Ulimit[] = [
  { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
  { Name: 'core', Soft: 0, Hard: 0 },
]

export const DOCKER: Dialect = {
  seccomp: seccompProfile(),
  masks: () => [],
  log: TASK_LOG,
  ulimits: ULIMITS,
  inMemory: as,
  scratch: as,
  mounted: (mounts) => ({ Mounts: mounts }),
  sealed: {},
  isHeldByRunning: false,
}

/** More than all tasks of a node have: the number is counted by user. Podman's own default may be above what it may set. */
const PROCESSES = 32_768
/** In which Linux counts the blocks of a file system in memory on the processors that we know. */
const BLOCK_BYTES: number = 4 * KiB

/** What is mounted over a volume's own options; with a container's, Podman would forget them. */
const VOLUME_OPTIONS = 'rw,nocopy,noexec,nosuid,nodev'
/** It gives these to every container with a read-only root, as large as all memory. */
const SEALED = 'ro,noexec,nosuid,nodev,size=4096'

/** Podman's. It reads the filter and the names of hosts from files, which are written to `dir`. */
export async function podman(dir: string): Promise<Dialect> {
  await mkdir(dir, { recursive: true })
  const seccomp = join(dir, 'seccomp.json')
  await writeFile(seccomp, DOCKER.seccomp)
  const hosts = join(dir, 'hosts')
  await writeFile(hosts, HOSTS)
  return {
    seccomp,
    masks: (paths) => [`mask=${paths.join(':')}`],
    // without an end that is shown to be whole: tasks are not taken up again after a crash of this node
    log: { Type: 'k8s-file', Config: {} },
    ulimits: [...ULIMITS, { Name: 'nproc', Soft: PROCESSES, Hard: PROCESSES }],
    // it takes `size` for a quota of its storage
    inMemory: (options) =>
      options.replace(
        /\bsize=(\d+)/,
        (_, bytes) => `nr_blocks=${Math.ceil(Number(bytes) / BLOCK_BYTES)}`,
      ),
    // it knows neither owners nor inodes there; the mode lets the task's user in
    scratch: (options) =>
      options.replace(/\b(?:nr_inodes|uid|gid)=\d+,?/g, '').replace('mode=0700', 'mode=1777'),
    mounted: (mounts) => {
      // What cannot be written is ours, a program even. The words of a bind are parted by colons, and a job may name its
      // folders as it likes.
      const isPlain = ({ Target, ReadOnly }: Docker.MountSettings) =>
        ReadOnly !== true && !/[:,]/.test(Target)
      const binds = mounts
        .filter(isPlain)
        .map(({ Source, Target }) => `${Source}:${Target}:${VOLUME_OPTIONS}`)
      return {
        Mounts: mounts.filter((mount) => !isPlain(mount)),
        // otherwise the host's own
        Binds: [...binds, `${hosts}:/etc/hosts:ro,noexec,nosuid,nodev`],
      }
    },
    sealed: { '/run': SEALED, '/var/tmp': SEALED },
    isHeldByRunning: true,
  }
}
