import { constants } from 'node:fs'
import { open, readFile, stat, type FileHandle } from 'node:fs/promises'
import type { TaskGroup } from './task-groups.ts'

/** Namespaces of a task, by the names of /proc. */
const SPACES = ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'user'] as const
type Space = (typeof SPACES)[number]

/** The namespaces of a task that runs, held open: they stay the task's whatever its numbers are given to. */
export interface TaskSpaces extends AsyncDisposable {
  readonly files: Readonly<Record<Space, FileHandle>>
}

/** What the kernel says of the first process of a task, behind whose back nothing is set up any more. */
const WALLED = [/^NSpid:\t\d+\t1$/m, /^CapEff:\t0+$/m, /^NoNewPrivs:\t1$/m, /^Seccomp:\t2$/m]

/**
 * The namespaces of the task in a group; `undefined` unless its walls stand: until `root`, its root folder as this process
 * reaches it, is that of its first process too, the namespaces still show the machine.
 */
export async function holdSpaces(group: TaskGroup, root: string): Promise<TaskSpaces | undefined> {
  for (const pid of await group.members()) {
    const held = await holdOf(pid, root)
    if (held !== undefined) return held
  }
  return undefined
}

async function holdOf(pid: number, root: string): Promise<TaskSpaces | undefined> {
  await using made = new AsyncDisposableStack()
  try {
    // the process and not its number: what is opened below this folder is of no other one
    const folder = made.use(await open(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY))
    const at = `/proc/self/fd/${folder.fd}`
    const status = await readFile(`${at}/status`, 'latin1')
    if (!WALLED.every((sign) => sign.test(status))) return undefined
    const [own, staged] = [await stat(`${at}/root/`), await stat(root)]
    if (own.dev !== staged.dev || own.ino !== staged.ino) return undefined
    const held = made.use(new AsyncDisposableStack())
    const opened: [string, FileHandle][] = []
    for (const name of SPACES) opened.push([name, held.use(await open(`${at}/ns/${name}`))])
    const files = Object.fromEntries(opened) as Record<Space, FileHandle>
    const owned = held.move()
    return { files, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  } catch {
    return undefined // it ended meanwhile
  }
}
