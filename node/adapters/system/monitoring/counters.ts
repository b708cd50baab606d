import type { KernelFiles } from '../hardware/kernel-files.ts'

/** What the kernel has counted since the machine started. */
export interface Counters {
  /** Of all processors, in ticks. */
  readonly cpu?: { readonly busy: number; readonly total: number }
  readonly disk?: { readonly readBytes: number; readonly writtenBytes: number }
  readonly network?: { readonly inBytes: number; readonly outBytes: number }
}

/** Enough for a machine with thousands of disks, interfaces or processors. */
const MAX_FILE_BYTES = 256 * 1024
const MAX_NAMES = 1024
/** The unit of /proc/diskstats, whatever the disk's own is. Source: the kernel's documentation. */
const SECTOR_BYTES = 512
/** What the kernel makes out of other disks, or of memory: its traffic would count twice. */
const NOT_A_DISK = /^(loop|ram|zram|dm-|md|sr|nbd\d|drbd)/

/** Reads all three. */
export async function readCounters(files: KernelFiles): Promise<Counters> {
  const [stat, disks, diskNames, network, interfaces] = await Promise.all([
    files.text('proc/stat'),
    files.text('proc/diskstats', MAX_FILE_BYTES),
    files.names('sys/block', MAX_NAMES),
    files.text('proc/net/dev', MAX_FILE_BYTES),
    hardwareInterfaces(files),
  ])
  const cpu = cpuOf(stat ?? '')
  const disk = diskOf(disks ?? '', new Set(diskNames.filter((name) => !NOT_A_DISK.test(name))))
  const net = networkOf(network ?? '', interfaces)
  return {
    ...(cpu !== undefined && { cpu }),
    ...(disk !== undefined && { disk }),
    ...(net !== undefined && { network: net }),
  }
}

/** Interfaces with hardware behind them: those of containers pass on what these bring. */
async function hardwareInterfaces(files: KernelFiles): Promise<ReadonlySet<string>> {
  const names = await files.names('sys/class/net', MAX_NAMES)
  const real = await Promise.all(
    names.map(async (name) => files.exists(`sys/class/net/${name}/device`)),
  )
  return new Set(names.filter((_, at) => real[at]))
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
