import type { TerminalSize } from '../../ports/attach.ts'
import { JOB_UID } from '../confinement/job-bounds.ts'
import { straightProgram, type Pointed, type StraightCall } from '../image/straight-program.ts'
import type { Architecture } from '../image/tiny-program.ts'
import { callNumbers } from '../confinement/call-numbers.ts'

/** What an entered program is given, beside its own three descriptors, until it starts. */
export const ENTRY_FILES = { status: 3, userNamespace: 4, program: 5, terminal: 6 } as const
/** What it says on its way: behind the walls' door, and that nothing could be started. */
export const ENTRY_SAYS = { entered: 'e', failed: 'f' } as const

/** What to become, in a task's namespaces. */
export interface EntryPlan {
  /** Places to look for the program, in this order. */
  readonly paths: readonly string[]
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string
  /** The system call filter, as the kernel takes it. */
  readonly filter: Uint8Array
  /** Number of this kernel's last capability. */
  readonly lastCapability: number
  readonly terminal: TerminalSize | undefined
}

/** Not among the calls of a job. Source: syscall_64.tbl, asm-generic/unistd.h. */
const SETNS: Readonly<Record<Architecture, number>> = { amd64: 308, arm64: 268 }
/** Source: linux/prctl.h, linux/seccomp.h, linux/sched.h, linux/capability.h. */
const [PDEATHSIG, CAPBSET_DROP, NO_NEW_PRIVS] = [1, 24, 38]
const SET_MODE_FILTER = 1
const CLONE_NEWUSER = 0x10000000
const CAPABILITY_VERSION_3 = 0x20080522
/** Source: asm-generic/ioctls.h, asm-generic/fcntl.h. */
const [TIOCSCTTY, TIOCSWINSZ, TIOCSPTLCK, TIOCGPTPEER] = [0x540e, 0x5414, 0x40045431, 0x5441]
const [O_WRONLY, O_RDWR, O_NOCTTY, O_CLOEXEC] = [1, 2, 0o400, 0o2000000]
const AT_FDCWD = -100
const SIGKILL = 9
const LAST_DESCRIPTOR = 0xffffffff
/** Exit code of a shell for a program that is not there. */
const NOT_STARTED = 127

/**
 * A program that starts as root in a task's namespaces, but for the user's, and becomes what runs inside: nothing of the
 * image is run before it has the task's user, namespace and filter and no capability. It does not start it if any of
 * these calls fails.
 */
export function entryProgram(architecture: Architecture, plan: EntryPlan): Uint8Array {
  const numbers = callNumbers(architecture)
  const call = (name: string, ...args: StraightCall['args']): StraightCall => {
    const number = numbers.get(name)
    if (number === undefined) throw new Error(`no number of ${name}`)
    return { number, args }
  }
  const { terminal, status, userNamespace, program } = ENTRY_FILES
  const last = plan.terminal === undefined ? program : terminal
  // the first that are free once all others are closed, in the order in which they are opened
  const [own, slave] = [last + 1, last + 2]
  const say = (word: string) => call('write', own, Buffer.from(word), word.length)
  const statusPath = text(`/proc/self/fd/${status}`)
  const filter: Pointed = { words: [plan.filter.length / 8, plan.filter] }
  const argv: Pointed = { words: [...plan.command.map(text), 0] }
  const entries = Object.entries(plan.env).map(([name, value]) => text(`${name}=${value}`))
  const envp: Pointed = { words: [...entries, 0] }
  const header = Buffer.alloc(8)
  header.writeUInt32LE(CAPABILITY_VERSION_3)
  return straightProgram(
    architecture,
    [
      call('close_range', own, LAST_DESCRIPTOR, 0),
      // opened anew: closed by the start of the program, though whoever waits for it has the other one
      call('openat', AT_FDCWD, statusPath, O_WRONLY | O_CLOEXEC, 0),
      say(ENTRY_SAYS.entered),
      call('setsid'),
      ...(plan.terminal === undefined
        ? []
        : [
            call('ioctl', terminal, TIOCSPTLCK, Buffer.alloc(4)),
            call('ioctl', terminal, TIOCSWINSZ, windowSize(plan.terminal)),
            call('ioctl', terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY),
            call('ioctl', slave, TIOCSCTTY, 0),
            call('fchown', slave, JOB_UID, JOB_UID),
            ...[0, 1, 2].map((at) => call('dup3', slave, at, 0)),
            call('close', slave),
          ]),
      call('setgroups', 0, 0),
      call('setresgid', JOB_UID, JOB_UID, JOB_UID),
      call('setresuid', JOB_UID, JOB_UID, JOB_UID),
      // whose owner this user is: every capability in there, from here to capset, so that the task cannot look into it
      { number: SETNS[architecture], args: [userNamespace, CLONE_NEWUSER] },
      call('chdir', text(plan.workingDir)),
      call('close_range', status, last, 0),
      call('prctl', NO_NEW_PRIVS, 1, 0, 0, 0),
      ...Array.from({ length: plan.lastCapability + 1 }, (_, at) =>
        call('prctl', CAPBSET_DROP, at, 0, 0, 0),
      ),
      call('seccomp', SET_MODE_FILTER, 0, filter),
      call('capset', header, Buffer.alloc(24)),
      call('prctl', PDEATHSIG, SIGKILL, 0, 0, 0),
      ...plan.paths.map((path) => ({ ...call('execve', text(path), argv, envp), mayFail: true })),
    ],
    [say(ENTRY_SAYS.failed), call('exit_group', NOT_STARTED)],
  )
}

/** `struct winsize`. Source: asm-generic/termios.h. */
function windowSize({ columns, rows }: TerminalSize): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(Math.min(rows, 0xffff), 0)
  bytes.writeUInt16LE(Math.min(columns, 0xffff), 2)
  return bytes
}

function text(words: string): Uint8Array {
  return Buffer.from(`${words}\0`)
}
