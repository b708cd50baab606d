import { constants } from 'node:fs'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { HiveError } from '../../domain/errors.ts'
import type { AttachOptions, ExecProgram, ExecSession } from '../../ports/attach.ts'
import { patientWrite } from '../confinement/patient-write.ts'
import type { Architecture } from '../image/tiny-program.ts'
import { ENTRY_FILES, ENTRY_SAYS, entryProgram } from './entry-program.ts'
import { sendIn, type EntryProcess } from './entry-process.ts'
import { piecesFrom } from './exec-output.ts'
import type { OutputPipe, OutputPipes } from './output-pipes.ts'
import type { TaskSpaces } from './task-spaces.ts'
import { openTerminal } from './terminal.ts'

/** What entering a task takes. */
export interface EntryPlace {
  readonly architecture: Architecture
  /** Path of the task's system call filter. */
  readonly filterPath: string
  /** A folder that the task cannot see. */
  readonly folder: string
  readonly pipes: OutputPipes
  readonly joins: readonly string[]
  readonly workingDir: string
  readonly spaces: TaskSpaces
  /** Aborts when the task ends. */
  readonly taskEnd: AbortSignal
}

/** What a terminal's line discipline takes for the end: Ctrl-D. */
const END_OF_INPUT = Uint8Array.of(4)
/** What programs on a terminal are told of it unless something else is asked for, as engines do. */
const TERMINAL_ENV = { TERM: 'xterm' }
/** Longest that is listened to what a program says on its way in, characters: its last steps are the task's own. */
const MAX_SAID_CHARS = 8
let lastCapability: Promise<number> | undefined
let entries = 0

/**
 * Runs a program inside a task; `program` has all of its variables.
 * @throws HiveError EXEC_FAILED, TASK_NOT_RUNNING
 */
export async function execInside(
  on: EntryPlace,
  program: ExecProgram,
  { signal }: AttachOptions,
): Promise<ExecSession> {
  signal.throwIfAborted()
  await using made = new AsyncDisposableStack()
  const { terminal: size, command } = program
  const terminal = size === undefined ? undefined : made.use(await openTerminal())
  const env = terminal === undefined ? program.env : { ...TERMINAL_ENV, ...program.env }
  const pipe = async () => {
    const taken = made.use(await on.pipes.take())
    // what the program leaves behind in its task may still have it when it is given back
    await taken.retire()
    return taken
  }
  const status = await pipe()
  const outputs = terminal === undefined ? [await pipe(), await pipe()] : []
  const code = entryProgram(on.architecture, {
    paths: pathsOf(command[0] ?? '', env['PATH'] ?? ''),
    command,
    env,
    workingDir: on.workingDir,
    filter: await readFile(on.filterPath),
    lastCapability: await (lastCapability ??= readLastCapability()),
    terminal: size,
  })
  await using given = new AsyncDisposableStack()
  const path = join(on.folder, `entry-${++entries}`)
  given.defer(() => rm(path, { force: true }))
  await writeFile(path, code, { mode: 0o500 })
  const file = given.use(await open(path, constants.O_RDONLY))
  const reading = constants.O_RDONLY | constants.O_NONBLOCK
  const statusFile = given.use(await open(`/proc/self/fd/${status.writer.fd}`, reading))
  const [stdout, stderr] = outputs.map(({ writer }) => writer.fd)
  signal.throwIfAborted()
  if (on.taskEnd.aborted) throw new HiveError('TASK_NOT_RUNNING')
  const entry = made.use(
    sendIn(
      {
        spaces: on.spaces,
        joins: on.joins,
        stdio: [
          terminal === undefined ? 'pipe' : 'ignore',
          stdout ?? 'ignore',
          stderr ?? 'ignore',
          statusFile,
          on.spaces.files.user,
          file,
          ...(terminal === undefined ? [] : [terminal.fd]),
        ],
      },
      ENTRY_FILES.program,
    ),
  )
  await Promise.all(outputs.map(({ writer }) => writer.close()))
  await started(entry, status, { signal, taskEnd: on.taskEnd })
  const input: Writable | null = terminal?.stream ?? entry.child.stdin
  // whoever reads its output hears of its end
  input?.on('error', () => undefined)
  const owned = made.move()
  const streams =
    terminal === undefined
      ? outputs.map(({ reader }, at) => ({ stream: at === 0 ? 1 : 2, from: reader }) as const)
      : [{ stream: 1, from: terminal.stream } as const]
  return {
    output: piecesFrom(streams),
    exitCode: async () => {
      const end = await entry.ended
      if (on.taskEnd.aborted && end >= 128) throw new HiveError('TASK_NOT_RUNNING')
      return end
    },
    write: async (bytes) => {
      if (input !== null) await patientWrite(input, bytes)
    },
    endInput: async () => {
      // a terminal is not closed: its reader is told the end by the character for it
      if (terminal !== undefined) await patientWrite(terminal.stream, END_OF_INPUT)
      else input?.end()
    },
    resize: async (to) => {
      await terminal?.resize(to)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/**
 * Waits until the program itself has begun, which takes the status pipe away from what led it in.
 * @throws HiveError EXEC_FAILED, TASK_NOT_RUNNING
 */
async function started(
  entry: EntryProcess,
  status: OutputPipe,
  { signal, taskEnd }: AttachOptions & Pick<EntryPlace, 'taskEnd'>,
): Promise<void> {
  const either = AbortSignal.any([signal, taskEnd])
  const closed = Promise.withResolvers<void>()
  let said = ''
  status.reader.on('data', (chunk: Buffer) => {
    if (said.length < MAX_SAID_CHARS) said += chunk.toString('latin1').slice(0, MAX_SAID_CHARS)
    // it has its own now: the end comes when that one is closed
    void status.writer.close()
  })
  const onEnd = () => closed.resolve()
  status.reader.once('close', onEnd).once('end', onEnd).once('error', onEnd)
  either.addEventListener('abort', onEnd, { once: true })
  void entry.ended.then(() => status.writer.close())
  await closed.promise
  either.removeEventListener('abort', onEnd)
  if (taskEnd.aborted) throw new HiveError('TASK_NOT_RUNNING')
  signal.throwIfAborted()
  if (said === ENTRY_SAYS.entered) return
  const reason = said === '' ? 'the task cannot be entered' : 'it was not found, or cannot be run'
  throw new HiveError('EXEC_FAILED', { said: reason })
}

/** Where a program is looked for: as a shell does. */
function pathsOf(name: string, searched: string): readonly string[] {
  if (name.includes('/')) return [name]
  return name === '' ? [] : searched.split(':').map((folder) => `${folder || '.'}/${name}`)
}

async function readLastCapability(): Promise<number> {
  return Number(await readFile('/proc/sys/kernel/cap_last_cap', 'latin1'))
}
