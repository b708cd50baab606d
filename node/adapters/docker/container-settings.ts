import type Docker from 'dockerode'
import type { SandboxTask } from '../../ports/sandbox.ts'
import {
  HOST_NAME,
  JOB_UID,
  MASKED_PROC,
  OOM_SCORE,
  PIDS,
  PIDS_GVISOR,
  READONLY_PROC,
  scratchOptions,
} from '../confinement/job-bounds.ts'
import { environment } from '../confinement/program-line.ts'
import type { Dialect } from './dialect.ts'
import { gpuSettings, type GpuAccess } from './gpu-settings.ts'

/** Labels that say whose a container or volume is; what carries ours and should not exist is removed. */
export const LABELS = {
  node: 'computehive.node',
  task: 'computehive.task',
  /** Unix ms after which nothing may still run. */
  deadline: 'computehive.deadline',
} as const

/** What of a container depends on more than its task. */
export interface ContainerPlan {
  /** By which the container is found again after a crash of this node. */
  readonly name: string
  readonly imageId: string
  /** What the image says of the environment. */
  readonly imageEnv: readonly string[]
  /** A program of ours that starts in the place of the task's, waiting for its order on stdin. */
  readonly launcher?: string
  readonly runtime: string
  readonly gpus: GpuAccess
  readonly dialect: Dialect
  readonly labels: Readonly<Record<string, string>>
  readonly mounts: Docker.MountConfig
  /** Where the job's processes are counted, if this node may make such a group. */
  readonly cgroupParent: string | undefined
  /** The container whose network it shares; left out: none, not even a shared one. */
  readonly networkOf?: string
}

/** What tells one machine from another outside /proc. */
const MASKED_SYS = 'firmware class/dmi devices/virtual/dmi devices/virtual/powercap'.split(' ')

/** How the engine is asked to run a stranger's task: with nothing that the task could do without. */
export function containerSettings(
  task: SandboxTask,
  plan: ContainerPlan,
): Docker.ContainerCreateOptions {
  const { launcher } = plan
  const gpus = gpuSettings(task.gpus ?? [], plan.gpus)
  const hasStdin = task.stdin.length > 0 || launcher !== undefined
  return {
    name: plan.name,
    Image: plan.imageId,
    ...(launcher !== undefined && { Entrypoint: [launcher], Cmd: [] }),
    ...(launcher === undefined && task.args.length > 0 && { Cmd: [...task.args] }),
    Env: [...environmentOf(task, plan.imageEnv, gpus.env)],
    User: `${JOB_UID}:${JOB_UID}`,
    ...(plan.networkOf === undefined && { Hostname: HOST_NAME }),
    Labels: { ...plan.labels },
    OpenStdin: hasStdin,
    StdinOnce: hasStdin,
    AttachStdin: hasStdin,
    AttachStdout: true,
    AttachStderr: true,
    NetworkDisabled: plan.networkOf === undefined,
    HostConfig: {
      ...isolation(plan.dialect),
      ...network(plan.networkOf),
      ...limits(task, plan),
      ...gpus.host,
      Runtime: plan.runtime,
      ...plan.dialect.mounted(plan.mounts),
      Tmpfs: scratch(task, plan),
      LogConfig: plan.dialect.log,
      ...(plan.cgroupParent !== undefined && { CgroupParent: plan.cgroupParent }),
    },
  }
}

/** All that the task's program finds in its environment, `NAME=value` each; `ours` wins over what it says itself. */
export function environmentOf(
  task: SandboxTask,
  imageEnv: readonly string[],
  ours: Readonly<Record<string, string>> = {},
): readonly string[] {
  const all = { ...environment(task, { env: imageEnv }), ...ours }
  return Object.entries(all).map(([name, value]) => `${name}=${value}`)
}

function isolation({ seccomp, masks }: Dialect): Docker.HostConfig {
  const masked = [...MASKED_PROC.map(proc), ...MASKED_SYS.map(sys)]
  return {
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true', `seccomp=${seccomp}`, ...masks(masked)],
    IpcMode: 'none',
    MaskedPaths: masked,
    ReadonlyPaths: READONLY_PROC.map(proc),
  }
}

/** A loopback and nothing else: its own, or that of the container which holds it for the task. */
export function network(of?: string): Docker.HostConfig {
  if (of !== undefined) return { NetworkMode: `container:${of}` }
  // otherwise the engine copies the host's own name servers and search domains in
  return { NetworkMode: 'none', Dns: ['127.0.0.1'], DnsSearch: ['.'] }
}

function limits(
  task: SandboxTask,
  { runtime, dialect }: Pick<ContainerPlan, 'runtime' | 'dialect'>,
): Docker.HostConfig {
  const { cpuMillis, memoryBytes } = task.limits
  return {
    PidsLimit: runtime.includes('runsc') ? PIDS_GVISOR : PIDS,
    Memory: memoryBytes,
    // equal to Memory: no swap at all
    MemorySwap: memoryBytes,
    NanoCpus: cpuMillis * 1e6,
    OomScoreAdj: OOM_SCORE,
    Ulimits: [...dialect.ulimits],
  }
}

/** `/tmp`, and what the engine must not make writable, unless the task has something else there. */
function scratch(
  task: SandboxTask,
  { mounts, dialect }: Pick<ContainerPlan, 'mounts' | 'dialect'>,
): Record<string, string> {
  const tmp = `rw,${dialect.scratch(scratchOptions(task.limits.diskBytes))}`
  const all = Object.entries({ '/tmp': tmp, ...dialect.sealed })
  return Object.fromEntries(all.filter(([path]) => mounts.every(({ Target }) => Target !== path)))
}

function proc(name: string): string {
  return `/proc/${name}`
}

function sys(name: string): string {
  return `/sys/${name}`
}
