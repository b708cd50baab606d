/** The user and group that every job runs as: `nobody`, who owns nothing. */
export const JOB_UID = 65534
/** Most processes and threads of a job. */
export const PIDS = 128
/** The same under gVisor, whose kernel needs host threads of its own and dies below some 512. */
export const PIDS_GVISOR = 1024
/** Open files; far below the host's own hard limit, which a job cannot pass. */
export const OPEN_FILES = 1024
/** Files in a scratch folder; each costs the host about 1 KiB of kernel memory. */
export const SCRATCH_INODES = 10_000
/** When memory runs out, jobs die before the node does. Range -1000..1000, Linux. */
export const OOM_SCORE = 500
/** What a folder in memory rounds file sizes up to, bytes. */
const PAGE_BYTES = 4096
/** What a job's machine is called. */
export const HOST_NAME = 'task'
/** Its `/etc/hosts`. */
export const HOSTS = '127.0.0.1 localhost\n::1 localhost\n'

/** Files and folders of /proc that tell of the host or reach into it; container engines hide about the same. */
export const MASKED_PROC: readonly string[] = words(
  'asound acpi kcore keys latency_stats timer_list timer_stats sched_debug scsi interrupts cmdline version',
)
/** Folders of /proc that a job may read and not write. */
export const READONLY_PROC: readonly string[] = words('bus fs irq sys sysrq-trigger')

/** Mount options of a sized folder in memory that only the job's user may write, and nothing may run from. */
export function scratchOptions(bytes: number): string {
  // NOTE: the owner is given because runc ignores the mode where the image already has the folder
  const owner = `uid=${JOB_UID},gid=${JOB_UID},mode=0700`
  return `noexec,nosuid,nodev,size=${bytes},nr_inodes=${SCRATCH_INODES},${owner}`
}

/** Mount options of a folder in memory with room for these files, which belong to root. */
export function secretOptions(files: readonly { readonly bytes: Uint8Array }[]): string {
  // each file is rounded up to a page, and there are folders above it
  const bytes = files.reduce((sum, file) => sum + file.bytes.length + 2 * PAGE_BYTES, PAGE_BYTES)
  return `noexec,nosuid,nodev,size=${bytes},nr_inodes=${SCRATCH_INODES},uid=0,gid=0,mode=0755`
}

function words(text: string): readonly string[] {
  return text.split(' ')
}
