import { readdir, readFile } from 'node:fs/promises'
import { systemClock } from '../../node/adapters/system/system-clock.ts'

/** A process that cannot be mistaken for a later one with the same number. */
export interface SeenProcess {
  readonly pid: number
  readonly parent: number
  /** Ticks since boot when it started. */
  readonly startedAt: string
  readonly command: string
}

/** Field numbers in /proc/PID/stat after the command's closing bracket. Source: proc_pid_stat(5). */
const STATE = 0
const PARENT = 1
const START_TIME = 19
const LOOK_EVERY_MS = 50

/** A process and everything that descends from it, as it is now. */
export async function familyOf(pid: number): Promise<readonly SeenProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const all = (await Promise.all(pids.map(async (name) => look(Number(name))))).filter(
    (seen) => seen !== undefined,
  )
  const family = all.filter((seen) => seen.pid === pid)
  for (let parents = family; parents.length > 0;) {
    const children = all.filter(({ parent }) => parents.some((each) => each.pid === parent))
    family.push(...children)
    parents = children
  }
  return family
}

/** Those of `seen` that are alive when all have ended or the signal aborts. */
export async function survivors(
  seen: readonly SeenProcess[],
  signal: AbortSignal,
): Promise<readonly SeenProcess[]> {
  for (;;) {
    const now = await Promise.all(seen.map(async ({ pid }) => look(pid)))
    const alive = seen.filter((each, at) => now[at]?.startedAt === each.startedAt)
    if (alive.length === 0 || signal.aborted) return alive
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // the deadline: one last look
  }
}

async function look(pid: number): Promise<SeenProcess | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; only its parent has not asked yet.
    if (fields[STATE] === 'Z') return undefined
    return {
      pid,
      parent: Number(fields[PARENT]),
      startedAt: fields[START_TIME] ?? '',
      command: command.replaceAll('\0', ' ').slice(0, 200),
    }
  } catch {
    // It ended while we looked.
    return undefined
  }
}
