import type Docker from 'dockerode'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { seccompProfile } from './seccomp-profile.ts'

/** The user and group that every job runs as: `nobody`, who owns nothing. */
export const JOB_UID = 65534
/** Labels that say whose a container or volume is; what carries ours and should not exist is removed. */
export const LABELS = {
  node: 'computehive.node',
  task: 'computehive.task',
  /** Unix ms after which nothing may still run. */
  deadline: 'computehive.deadline',
} as const

/** What of a container depends on more than its task. */
export interface ContainerPlan {
  readonly imageId: string
  readonly runtime: string
  readonly labels: Readonly<Record<string, string>>
  readonly mounts: Docker.MountConfig
  /** Where the job's processes are counted, if this node may make such a group. */
  readonly cgroupParent: string | undefined
}

/** Most processes and threads of a job. */
const PIDS = 128
/** The same under gVisor, whose kernel needs host threads of its own and dies below some 512. */
const PIDS_GVISOR = 1024
/** Open files; far below the host's own hard limit, which a container cannot pass. */
const OPEN_FILES = 1024
/** Files in a scratch folder; each costs the host about 1 KiB of kernel memory. */
export const SCRATCH_INODES = 10_000
/** When memory runs out, jobs die before the node does. Range -1000..1000, Linux. */
const OOM_SCORE = 500
/** The engine's copy of the output: one file that starts anew when full, so it cannot fill the disk. */
const LOGS = { Type: 'local', Config: { 'max-size': '1m', 'max-file': '1', compress: 'false' } }
/** The engine's own defaults for runc, and what tells one machine from another. */
const MASKED_PATHS = [
  ...words('asound acpi kcore keys latency_stats timer_list timer_stats').map(proc),
  ...words('sched_debug scsi interrupts cmdline version').map(proc),
  ...words('firmware class/dmi devices/virtual/dmi devices/virtual/powercap').map(sys),
]
const READONLY_PATHS = words('bus fs irq sys sysrq-trigger').map(proc)

const SECCOMP = seccompProfile()

/** How the engine is asked to run a stranger's task: with nothing that the task could do without. */
export function containerSettings(
  task: SandboxTask,
  plan: ContainerPlan,
): Docker.ContainerCreateOptions {
  const hasStdin = task.stdin.length > 0
  return {
    Image: plan.imageId,
    ...(task.args.length > 0 && { Cmd: [...task.args] }),
    Env: Object.entries(task.env).map(([name, value]) => `${name}=${value}`),
    User: `${JOB_UID}:${JOB_UID}`,
    Hostname: 'task',
    Labels: { ...plan.labels },
    OpenStdin: hasStdin,
    StdinOnce: hasStdin,
    AttachStdin: hasStdin,
    AttachStdout: true,
    AttachStderr: true,
    NetworkDisabled: true,
    HostConfig: {
      ...isolation(),
      ...limits(task, plan.runtime),
      Runtime: plan.runtime,
      Mounts: plan.mounts,
      Tmpfs: scratch(task, plan.mounts),
      LogConfig: LOGS,
      ...(plan.cgroupParent !== undefined && { CgroupParent: plan.cgroupParent }),
    },
  }
}

function isolation(): Docker.HostConfig {
  return {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true', `seccomp=${SECCOMP}`],
    IpcMode: 'none',
    MaskedPaths: MASKED_PATHS,
    ReadonlyPaths: READONLY_PATHS,
    // otherwise the engine copies the host's own name servers and search domains in
    Dns: ['127.0.0.1'],
    DnsSearch: ['.'],
  }
}

function limits(task: SandboxTask, runtime: string): Docker.HostConfig {
  const { cpuMillis, memoryBytes } = task.limits
  return {
    PidsLimit: runtime === 'runsc' ? PIDS_GVISOR : PIDS,
    Memory: memoryBytes,
    // equal to Memory: no swap at all
    MemorySwap: memoryBytes,
    NanoCpus: cpuMillis * 1e6,
    OomScoreAdj: OOM_SCORE,
    Ulimits: [
      { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
  }
}

/** `/tmp`, unless the task has something else there. */
function scratch(task: SandboxTask, mounts: Docker.MountConfig): Record<string, string> {
  if (mounts.some((mount) => mount.Target === '/tmp')) return {}
  return { '/tmp': `rw,${scratchOptions(task.limits.diskBytes)}` }
}

/** Mount options of a sized folder in memory that only the job's user may write, and nothing may run from. */
export function scratchOptions(bytes: number): string {
  // NOTE: the owner is given because runc ignores the mode where the image already has the folder
  const owner = `uid=${JOB_UID},gid=${JOB_UID},mode=0700`
  return `noexec,nosuid,nodev,size=${bytes},nr_inodes=${SCRATCH_INODES},${owner}`
}

function proc(name: string): string {
  return `/proc/${name}`
}

function sys(name: string): string {
  return `/sys/${name}`
}

function words(text: string): readonly string[] {
  return text.split(' ')
}
