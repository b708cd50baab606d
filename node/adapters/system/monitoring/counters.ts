import type { KernelFiles } from '../hardware/kernel-files.ts'

/** What the kernel has counted since the machine started. */
export interface Counters {
  /** Of all processors, in ticks. */
  readonly cpu?: { readonly busy: number; readonly total: number }
  readonly disk?: { readonly readBytes: number; readonly writtenBytes: number }
  readonly network?: { readonly inBytes: number; readonly outBytes: number }
}

/** Enough for hundreds of disks or interfaces; little, because it is read again and again. */
const MAX_FILE_BYTES = 32 * 1024
const MAX_NAMES = 1024
/** The unit of /proc/diskstats, whatever the disk's own is. Source: the kernel's documentation. */
const SECTOR_BYTES = 512
/** What the kernel makes out of other disks, or of memory: its traffic would count twice. */
const NOT_A_DISK = /^(loop|ram|zram|dm-|md|sr|nbd\d|drbd)/

/** Whose traffic counts: disks and interfaces with hardware behind them. */
export interface Counted {
  readonly disks: ReadonlySet<string>
  readonly interfaces: ReadonlySet<string>
}

/** Finds them. */
export async function readCounted(files: KernelFiles): Promise<Counted> {
  const disks = await files.names('sys/block', MAX_NAMES)
  const names = await files.names('sys/class/net', MAX_NAMES)
  // Interfaces of containers pass on what these bring.
  const real = await Promise.all(
    names.map(async (name) => files.exists(`sys/class/net/${name}/device`)),
  )
  return {
    disks: new Set(disks.filter((name) => !NOT_A_DISK.test(name))),
    interfaces: new Set(names.filter((_, at) => real[at])),
  }
}

/** Reads all three. */
export async function readCounters(
  files: KernelFiles,
  { disks, interfaces }: Counted,
): Promise<Counters> {
  const stat = await files.text('proc/stat')
  const disk = diskOf((await files.text('proc/diskstats', MAX_FILE_BYTES)) ?? '', disks)
  const network = networkOf((await files.text('proc/net/dev', MAX_FILE_BYTES)) ?? '', interfaces)
  const cpu = cpuOf(stat ?? '')
  return {
    ...(cpu !== undefined && { cpu }),
    ...(disk !== undefined && { disk }),
    ...(network !== undefined && { network }),
  }
}

function cpuOf(text: string): Counters['cpu'] {
  const line = /^cpu +((?:\d+ ?)+)$/m.exec(text)?.[1]
  if (line === undefined) return undefined
  // user nice system idle iowait irq softirq steal; guests are in `user` already
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = line
    .trim()
    .split(' ')
    .map(Number)
  const busy = user + nice + system + irq + soft + steal
  return { busy, total: busy + idle + wait }
}

function diskOf(text: string, names: ReadonlySet<string>): Counters['disk'] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  const disks = lines.filter(([, , name]) => name !== undefined && names.has(name))
  if (disks.length === 0) return undefined
  const sum = (field: number) =>
    disks.reduce((all, line) => all + (Number(line[field]) || 0), 0) * SECTOR_BYTES
  return { readBytes: sum(5), writtenBytes: sum(9) }
}

function networkOf(text: string, names: ReadonlySet<string>): Counters['network'] {
  const lines = [...text.matchAll(/^ *([^\s:]+):(.*)$/gm)]
    .filter(([, name = '']) => names.has(name))
    .map(([, , rest = '']) => rest.trim().split(/\s+/).map(Number))
  if (lines.length === 0) return undefined
  const sum = (field: number) => lines.reduce((all, line) => all + (line[field] || 0), 0)
  return { inBytes: sum(0), outBytes: sum(8) }
}
