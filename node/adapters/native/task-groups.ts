import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { second } from '../../domain/units.ts'
import type { SandboxLimits } from '../../ports/sandbox.ts'
import { openCgroupMeter, type CgroupMeter, type Metered } from '../confinement/cgroup-meter.ts'

/** The control group of one task. Disposal ends what is left in it and removes it. */
export interface TaskGroup extends AsyncDisposable {
  /** Files that a process writes `0` into to join, with all it starts. */
  readonly joins: readonly string[]
  /** The processes that are in the group now. */
  members(): Promise<readonly number[]>
  /** Ends every process that is in the group now. */
  kill(): Promise<void>
  /** Ends what is in the group until nothing is. */
  clear(): Promise<void>
  read(): Promise<Metered>
  /** Whether the kernel had to kill one of its processes for memory. */
  wasOutOfMemory(): Promise<boolean>
}

/** Makes control groups that hold tasks to their limits. */
export interface TaskGroups {
  open(taskId: string, limits: SandboxLimits, pids: number): Promise<TaskGroup>
  /** Ends and removes what an earlier life of this node left. */
  sweep(): Promise<void>
}

/** Controllers without which a task would not be bounded. */
const CONTROLLERS = ['cpu', 'memory', 'pids'] as const
/** Counted in version 1 by a controller of its own. */
const CPU_ACCOUNT = 'cpuacct'
/** What a share of a core is a share of, microseconds. Source: the kernel's own default. */
const CPU_PERIOD_US = 100_000
/** How long ended processes may take to go, ms, and how often it is looked. */
const CLEAR_TIMEOUT_MS: number = 5 * second
const CLEAR_INTERVAL_MS = 5

/** Groups below `mountPoint`, or why this process cannot make any that bound a task. */
export async function openTaskGroups(
  nodeId: string,
  mountPoint: string,
): Promise<{ readonly groups: TaskGroups } | { readonly fault: string }> {
  const isUnified = await isThere(join(mountPoint, 'cgroup.controllers'))
  const meter = await openCgroupMeter(isUnified ? '2' : '1', nodeId, mountPoint)
  if (meter === undefined) return { fault: `no control group can be made under ${mountPoint}` }
  const node = dirname(meter.parentOf(''))
  const fault = isUnified ? await delegate(mountPoint, node) : await missing(mountPoint, node)
  if (fault !== undefined) return { fault }
  const foldersOf = (group: string) =>
    isUnified
      ? [join(mountPoint, group)]
      : [...CONTROLLERS, CPU_ACCOUNT].map((controller) => join(mountPoint, controller, group))
  const pidsIn = (group: string) => readPids(foldersOf(group))
  return {
    groups: {
      open: async (taskId, limits, pids) => {
        const group = meter.parentOf(taskId)
        const folders = foldersOf(group)
        for (const folder of folders) await mkdir(folder, { recursive: true })
        const settings = isUnified ? unified(limits, pids) : divided(limits, pids)
        for (const [controller, file, value] of settings) {
          const path = join(mountPoint, isUnified ? '' : controller, group, file)
          // swap is bounded only where the kernel counts it
          if (file.includes('sw') && !(await isThere(path))) continue
          await writeFile(path, value)
        }
        return taskGroup(meter, taskId, folders, isUnified)
      },
      sweep: async () => {
        const top = foldersOf(node)[0] ?? ''
        for (const name of await readdir(top).catch(() => [])) {
          kill(await pidsIn(join(node, name)))
        }
        await meter.sweep()
      },
    },
  }
}

function taskGroup(
  meter: CgroupMeter,
  taskId: string,
  folders: readonly string[],
  isUnified: boolean,
): TaskGroup {
  const memory = folders[isUnified ? 0 : CONTROLLERS.indexOf('memory')] ?? ''
  const clear = async () => {
    const deadline = performance.now() + CLEAR_TIMEOUT_MS
    for (;;) {
      const pids = await readPids(folders)
      if (pids.length === 0 || performance.now() > deadline) return
      kill(pids)
      await setTimeout(CLEAR_INTERVAL_MS)
    }
  }
  return {
    joins: folders.map((folder) => join(folder, 'cgroup.procs')),
    members: () => readPids(folders),
    kill: async () => {
      kill(await readPids(folders))
    },
    clear,
    read: () => meter.read(taskId),
    wasOutOfMemory: async () => {
      const file = isUnified ? 'memory.events' : 'memory.oom_control'
      return /^oom_kill [1-9]/m.test(await readText(join(memory, file)))
    },
    [Symbol.asyncDispose]: async () => {
      await clear()
      await meter.remove(taskId)
    },
  }
}

type Setting = readonly [controller: string, file: string, value: string]

function divided(limits: SandboxLimits, pids: number): readonly Setting[] {
  const memory = String(limits.memoryBytes)
  return [
    ['memory', 'memory.limit_in_bytes', memory],
    ['memory', 'memory.memsw.limit_in_bytes', memory],
    ['pids', 'pids.max', String(pids)],
    ['cpu', 'cpu.cfs_period_us', String(CPU_PERIOD_US)],
    ['cpu', 'cpu.cfs_quota_us', quota(limits)],
  ]
}

function unified(limits: SandboxLimits, pids: number): readonly Setting[] {
  return [
    ['memory', 'memory.max', String(limits.memoryBytes)],
    ['memory', 'memory.swap.max', '0'],
    ['pids', 'pids.max', String(pids)],
    ['cpu', 'cpu.max', `${quota(limits)} ${CPU_PERIOD_US}`],
  ]
}

function quota({ cpuMillis }: SandboxLimits): string {
  return String(Math.ceil((cpuMillis * CPU_PERIOD_US) / 1000))
}

/** Version 2: hands the controllers down to the node's group. */
async function delegate(mountPoint: string, node: string): Promise<string | undefined> {
  const wanted = CONTROLLERS.map((controller) => `+${controller}`).join(' ')
  const parts = node.split('/').filter((part) => part !== '')
  for (let depth = 0; depth <= parts.length; depth++) {
    const folder = join(mountPoint, ...parts.slice(0, depth))
    try {
      await writeFile(join(folder, 'cgroup.subtree_control'), wanted)
    } catch (error) {
      return `the controllers ${CONTROLLERS.join(', ')} cannot be had in ${folder}: ${String(error)}`
    }
  }
  return undefined
}

/** Version 1: each controller has a hierarchy of its own. */
async function missing(mountPoint: string, node: string): Promise<string | undefined> {
  for (const controller of [...CONTROLLERS, CPU_ACCOUNT]) {
    const isMade = await isThere(join(mountPoint, controller, node))
    if (!isMade) return `the kernel has no controller ${controller} under ${mountPoint}`
  }
  return undefined
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // gone since it was listed, which is what was wanted
    }
  }
}

async function readPids(folders: readonly string[]): Promise<readonly number[]> {
  const lists = await Promise.all(folders.map((folder) => readText(join(folder, 'cgroup.procs'))))
  const pids = lists.flatMap((list) => list.split('\n').filter((line) => line !== ''))
  // 0 is a process that another pid namespace hides; it would mean our own group to kill(2)
  return [...new Set(pids.map(Number))].filter((pid) => pid > 1)
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // the group is gone, and all that was in it
    return ''
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    // not there, or not for us: it cannot be used either way
    return false
  }
}
