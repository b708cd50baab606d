import { spawn, type ChildProcess } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { HiveError } from '../../domain/errors.ts'
import { OOM_SCORE } from '../confinement/job-bounds.ts'
import { STAGE, STAGE_OUT } from './task-workspace.ts'
import { TOOLS_ENV } from './tools.ts'

/** What is to run, and with what. */
export interface StageSettings {
  /** Where relative paths of the mounts start. */
  readonly root: string
  /** Mounts to make, as a file for mount(8). */
  readonly mounts: string
  /** Folder whose content goes into the outputs folder; empty for none. */
  readonly given: string
  /** Archive to unpack on the stage, after the mounts are made; never on a disk. */
  readonly unpacked: Uint8Array | undefined
  /** The program that puts a loopback up, as a path from `root`, for a task with a network of its own that starts at `proceed`. */
  readonly loopback: string | undefined
  /** Files to write `0` into, so that the command and not its stage is counted. */
  readonly joins: readonly string[]
  readonly command: readonly string[]
  /** Most files that it may have open; left out: as many as this process. */
  readonly openFiles: number | undefined
  readonly stdin: FileHandle | undefined
  readonly stdout: FileHandle
  readonly stderr: FileHandle
  /** Descriptor 5 of the command, written whole. */
  readonly secret: Uint8Array
  /** Descriptor 6 of the command. */
  readonly filter: FileHandle | undefined
}

/** How the command ended. */
export interface StageEnd {
  /** Exit status as a shell sees it; `undefined` when the command was never started. */
  readonly status: number | undefined
  /** What it wrote to descriptor 4. */
  readonly report: string
  /** What the machine's own tools complained of; not for strangers. */
  readonly complaint: string
}

/** A task's mounts and the process that keeps them. Disposal ends both. */
export interface Stage extends AsyncDisposable {
  /** The command has ended, the mounts are still there. Never rejects. */
  readonly ended: Promise<StageEnd>
  /** Of a task with a network of its own: whether that is up, so that the command waits for `proceed`. Never rejects. */
  readonly isConnected: Promise<boolean>
  /** The stage's network, as a file. */
  readonly namespace: string
  proceed(): void
  /** The outputs folder as this process can reach it while the stage stands. */
  readonly outputs: string
  /** A path on the stage, likewise. */
  reach(path: string): string
}

/**
 * Runs in a mount namespace of its own, so that nobody else sees the mounts and the kernel removes them with the last
 * process in it. It stays outside the task's control group: it is not the job's to pay, and must outlive it.
 * Whoever wraps the command can be read from inside, so its environment names no folder of this machine.
 * 3 is for us, 4 and 5 and 6 for the command, 7 and 8 are the job's output, 9 is what to unpack.
 */
const SCRIPT = `
set -f
mount --no-mtab --all --fstab "$1" || exit 125
if [ -n "$2" ]; then cp --archive "$2/." ${STAGE_OUT}/ || exit 124; fi
if [ -n "$3" ]; then tar --extract --file=- --directory=${STAGE} --same-owner --same-permissions <&9 || exit 123; fi
exec 9<&-
joins=$4
if [ -n "$5" ]; then
  "$5" || exit 122
  echo connected >&3
  read -r _ <&3
fi
files=$6
shift 6
(
  for join in $joins; do echo 0 >"$join" || exit 125; done
  echo ${OOM_SCORE} >/proc/self/oom_score_adj
  ulimit -c 0
  [ -z "$files" ] || ulimit -n "$files"
  unset PWD OLDPWD
  exec "$@" >&7 2>&8 3>&- 7>&- 8>&-
)
status=$?
exec 4>&- 5>&- 6>&- 7>&- 8>&-
echo "$status" >&3
read -r _ <&3
`
/** Longest complaint and report kept, characters. */
const MAX_TEXT_CHARS = 8192

/** Makes the mounts and starts the command. */
export function openStage(settings: StageSettings): Stage {
  const { root, mounts, given, unpacked, joins, loopback, openFiles = '', command } = settings
  const hasSecrets = unpacked === undefined ? '' : 'yes'
  const places = [mounts, given, hasSecrets, joins.join(' '), loopback ?? '']
  const script = ['sh', '-c', SCRIPT, 'stage', ...places, String(openFiles), ...command]
  const spaces = loopback === undefined ? ['--mount'] : ['--mount', '--net']
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...spaces, '--propagation', 'private', ...script],
    {
      cwd: root,
      env: TOOLS_ENV,
      stdio: [
        settings.stdin?.fd ?? 'ignore',
        'ignore',
        'pipe',
        'pipe',
        'pipe',
        'pipe',
        settings.filter?.fd ?? 'ignore',
        settings.stdout.fd,
        settings.stderr.fd,
        unpacked === undefined ? 'ignore' : 'pipe',
      ],
    },
  )
  const complaints = pipeOf(child, 2)
  const control = pipeOf(child, 3)
  const reports = pipeOf(child, 4)
  const secret = pipeOf(child, 5)
  const archive = unpacked === undefined ? [] : [pipeOf(child, 9)]
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const complaint = textOf(complaints)
  const report = textOf(reports)
  // whoever does not read it to the end has ended, which is seen elsewhere
  for (const stream of [secret, control, ...archive]) stream.on('error', () => undefined)
  secret.end(settings.secret)
  for (const stream of archive) stream.end(unpacked ?? '')
  const lines = firstLines(control, loopback === undefined ? 1 : 2)
  const ended = Promise.resolve(lines.at(-1)).then(async (line): Promise<StageEnd> => {
    if (line === undefined)
      return { status: undefined, report: await report, complaint: await complaint }
    return { status: Number(line), report: await report, complaint: '' }
  })
  const reach = (path: string) => `/proc/${child.pid ?? 0}/root${path}`
  return {
    ended,
    isConnected: Promise.resolve(lines[0]).then((line) => line !== undefined),
    namespace: `/proc/${child.pid ?? 0}/ns/net`,
    proceed: () => void control.write('\n'),
    outputs: reach(STAGE_OUT),
    reach,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await gone
      for (const stream of [secret, ...archive, control, reports, complaints]) stream.destroy()
    },
  }
}

/** A descriptor of the child that was asked for as a pipe; Node makes those sockets. */
function pipeOf(child: ChildProcess, at: number): Socket {
  const stream: unknown = child.stdio[at]
  if (!(stream instanceof Socket)) throw new HiveError('SANDBOX_UNAVAILABLE', { pipe: at })
  return stream
}

/** The first lines that the stage writes to us; `undefined` for those that it ends without. */
function firstLines(control: Readable, count: number): readonly Promise<string | undefined>[] {
  const lines = Array.from({ length: count }, () => Promise.withResolvers<string | undefined>())
  let text = ''
  control.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (const [at, line] of text.split('\n').slice(0, -1).entries()) lines[at]?.resolve(line)
  })
  control.once('close', () => {
    for (const line of lines) line.resolve(undefined)
  })
  return lines.map(({ promise }) => promise)
}

/** All of a stream, shortened. Never rejects. */
async function textOf(stream: Readable): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) {
      if (text.length < MAX_TEXT_CHARS) text += String(chunk).slice(0, MAX_TEXT_CHARS)
    }
  } catch {
    // destroyed with the stage: what came is what there is
  }
  return text
}
