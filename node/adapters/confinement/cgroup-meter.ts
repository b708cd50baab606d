import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { second } from '../../domain/units.ts'

/** What a task used, so far or in all. */
export interface Metered {
  readonly cpuMs: number
  readonly peakMemoryBytes: number
  /** In use now, where that is known. */
  readonly memoryBytes?: number
  /** Of what is in use now, what is only kept of files that were read, where that is known. */
  readonly cacheBytes?: number
  /** Whether the kernel ended a process of the task for want of memory, where it tells of a whole group. */
  readonly wasOutOfMemory?: boolean
}

/** Counts what a task uses in a control group above its container's, which outlives the container. */
export interface CgroupMeter {
  /** The parent group to name to the engine for this task. */
  parentOf(taskId: string): string
  /** What ran under the task's group; zeros where the kernel does not say. */
  read(taskId: string): Promise<Metered>
  /** Removes the task's group; to be called after its container is gone. */
  remove(taskId: string): Promise<void>
  /**
   * Removes every group of this node but those of the tasks in `keep`. A group can only go when its last process has; gVisor's take a moment after the
   * engine has reported a container's end, so this waits, up to SWEEP_TIMEOUT_MS.
   */
  sweep(keep?: Iterable<string>): Promise<void>
}

const ROOT = '/computehive'
/** How long dying processes are waited for, ms; the next opening tries again. */
const SWEEP_TIMEOUT_MS: number = 5 * second
/** How often it is looked whether they are gone, ms: control groups of version 1 tell nobody. */
const SWEEP_INTERVAL_MS = 50
/** Enough of a hash to be unique on one machine, hex digits. */
const KEY_DIGITS = 24

/** A meter, or `undefined` when this process may not make control groups under `mountPoint`. */
export async function openCgroupMeter(
  version: string,
  nodeId: string,
  mountPoint: string,
): Promise<CgroupMeter | undefined> {
  const hierarchies = version === '2' ? [''] : await foldersIn(mountPoint)
  const node = `${ROOT}/${keyOf(nodeId)}`
  const inside = (hierarchy: string, group: string) => join(mountPoint, hierarchy, group)
  if (hierarchies.length === 0) return undefined
  try {
    for (const hierarchy of hierarchies) await mkdir(inside(hierarchy, node), { recursive: true })
  } catch {
    // no right to: usage is then taken from the engine's own, coarser figures
    return undefined
  }
  const groupOf = (taskId: string) => `${node}/${keyOf(taskId)}`
  const text = (hierarchy: string, group: string, file: string) =>
    readText(join(inside(hierarchy, group), file))
  const number = async (hierarchy: string, group: string, file: string) =>
    Number(await text(hierarchy, group, file)) || 0
  const read = async (taskId: string): Promise<Metered> => {
    const group = groupOf(taskId)
    if (version === '2') {
      const cpu = await text('', group, 'cpu.stat')
      const microseconds = Number(/^usage_usec (\d+)$/m.exec(cpu)?.[1] ?? 0)
      return {
        cpuMs: microseconds / 1e3,
        peakMemoryBytes: await number('', group, 'memory.peak'),
        ...known(await number('', group, 'memory.current')),
        ...cacheOf(await text('', group, 'memory.stat')),
        ...killsOf(await text('', group, 'memory.events')),
      }
    }
    const nanoseconds = await number('cpuacct', group, 'cpuacct.usage')
    const peakMemoryBytes = await number('memory', group, 'memory.max_usage_in_bytes')
    const now = known(await number('memory', group, 'memory.usage_in_bytes'))
    // how often it ended a process it says of the innermost group only, which is the container's and gone
    const cache = cacheOf(await text('memory', group, 'memory.stat'))
    return { cpuMs: nanoseconds / 1e6, peakMemoryBytes, ...now, ...cache }
  }
  return {
    parentOf: groupOf,
    read,
    remove: async (taskId) => {
      for (const hierarchy of hierarchies) await removeGroup(inside(hierarchy, groupOf(taskId)))
    },
    sweep: async (keep = []) => {
      const kept = new Set([...keep].map(keyOf))
      const deadline = performance.now() + SWEEP_TIMEOUT_MS
      for (const hierarchy of hierarchies) {
        const folder = inside(hierarchy, node)
        while (!(await removeBut(folder, kept)) && performance.now() < deadline) {
          await setTimeout(SWEEP_INTERVAL_MS)
        }
        await removeEmpty(inside(hierarchy, ROOT))
      }
    },
  }
}

/** Removes what is in a group but `kept`, and itself if that leaves nothing in it; whether nothing else is left. */
async function removeBut(folder: string, kept: ReadonlySet<string>): Promise<boolean> {
  const others = async () => (await foldersIn(folder)).filter((name) => !kept.has(name))
  for (const name of await others()) await removeGroup(join(folder, name))
  await removeEmpty(folder)
  return (await others()).length === 0
}

/** Sub-folders; links are second names of one. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch {
    // not there: nothing to remove
    return []
  }
}

/** Removes a group and those below it: a runtime that was killed leaves its container's behind. */
async function removeGroup(folder: string): Promise<void> {
  for (const name of await foldersIn(folder)) await removeGroup(join(folder, name))
  await removeEmpty(folder)
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch {
    // in use by another, or gone already; the next sweep tries again
  }
}

/** Memory in use, as far as the kernel tells: a group that runs something has some. */
function known(memoryBytes: number): Pick<Metered, 'memoryBytes'> {
  return memoryBytes > 0 ? { memoryBytes } : {}
}

/** From memory.stat, which in version 1 tells of groups below under names of their own. */
function cacheOf(stat: string): Pick<Metered, 'cacheBytes'> {
  const found = ['inactive_file', 'active_file'].map(
    (name) =>
      new RegExp(`^total_${name} (\\d+)$`, 'm').exec(stat) ??
      new RegExp(`^${name} (\\d+)$`, 'm').exec(stat),
  )
  if (found.includes(null)) return {}
  return { cacheBytes: found.reduce((sum, match) => sum + Number(match?.[1]), 0) }
}

/** From memory.events of version 2, which counts groups below too. */
function killsOf(events: string): Pick<Metered, 'wasOutOfMemory'> {
  const kills = /^oom_kill (\d+)$/m.exec(events)?.[1]
  return kills === undefined ? {} : { wasOutOfMemory: kills !== '0' }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // an older kernel lacks some of these files; the figure is then zero
    return ''
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, KEY_DIGITS)
}
