import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, type FileHandle } from 'node:fs/promises'
import { constants } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { OOM_SCORE, OPEN_FILES } from '../confinement/job-bounds.ts'
import type { TaskSpaces } from './task-spaces.ts'
import { TOOLS_ENV } from './tools.ts'

/** What a process that enters a task is given: its descriptors, in their order. */
export interface EntrySettings {
  readonly spaces: TaskSpaces
  /** Files to write `0` into, so that it is counted as its task. */
  readonly joins: readonly string[]
  readonly stdio: readonly [
    stdin: 'pipe' | 'ignore',
    stdout: number | 'ignore',
    stderr: number | 'ignore',
    status: FileHandle,
    userNamespace: FileHandle,
    program: FileHandle,
    ...terminal: number[],
  ]
}

/** A process that was sent into a task, seen from outside. Disposal ends it, with its group. */
export interface EntryProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** Its exit code, 128 and more for a signal. Never rejects. */
  readonly ended: Promise<number>
}

/** How often a process that was ended is looked at again, ms. */
const END_INTERVAL_MS = 5
/** Exit code where it could not be sent. */
const UNSENT = 125

/** Bounded as its task before it enters. The user's namespace is left to the program: it needs root until then. */
const SCRIPT = `
set -f
for join in $1; do echo 0 >"$join" || exit ${UNSENT}; done
echo ${OOM_SCORE} >/proc/self/oom_score_adj || exit ${UNSENT}
ulimit -c 0 || exit ${UNSENT}
ulimit -n ${OPEN_FILES} || exit ${UNSENT}
shift
exec nsenter "$@"
`
/** The option of nsenter(1) for each namespace. */
const OPTIONS = {
  mount: 'mnt',
  pid: 'pid',
  net: 'net',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
} as const

/** Runs `program`, a descriptor, in the task's namespaces. */
export function sendIn({ spaces, joins, stdio }: EntrySettings, program: number): EntryProcess {
  const own = process.pid
  const enter = Object.entries(OPTIONS).map(
    ([option, space]) => `--${option}=/proc/${own}/fd/${spaces.files[space].fd}`,
  )
  const script = ['sh', '-c', SCRIPT, 'entry', joins.join(' '), ...enter]
  const command = [...script, '--', `/proc/self/fd/${program}`]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
    cwd: '/',
    env: TOOLS_ENV,
    stdio: stdio.map((one) => (typeof one === 'object' ? one.fd : one)),
  })
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(UNSENT))
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
  return {
    child,
    ended,
    [Symbol.asyncDispose]: async () => {
      let isOver = child.pid === undefined
      void ended.then(() => (isOver = true))
      while (!isOver) {
        await end(child)
        await Promise.race([ended, pause(END_INTERVAL_MS)])
      }
    },
  }
}

/** Ends what was started inside, which leads a group of its own, or what is still on its way there. */
async function end(child: ChildProcess): Promise<void> {
  const started = await childrenOf(child.pid ?? 0)
  for (const pid of started) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      kill(pid) // not a leader yet, or gone
    }
  }
  // it reaps what was started before it ends itself
  if (started.length === 0) child.kill('SIGKILL')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone, which is what was wanted
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  try {
    const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return list.split(' ').flatMap((word) => (Number(word) > 1 ? [Number(word)] : []))
  } catch {
    return [] // gone, or a kernel that does not tell
  }
}
