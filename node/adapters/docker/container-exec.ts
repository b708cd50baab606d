import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'
import type {
  AttachOptions,
  ExecProgram,
  ExecSession,
  PrintedPiece,
  TerminalSize,
} from '../../ports/attach.ts'
import { JOB_UID } from '../confinement/job-bounds.ts'
import { patientWrite } from '../confinement/patient-write.ts'
import { endProcess } from './container-process.ts'
import { engineGone, forStrangers, refusalOf } from './engine.ts'
import { OutputCapture } from './output-capture.ts'

/** How often the engine is asked whether a program has ended, ms: of such programs it sends no word. */
const POLL_MS = 25
/** How long a program that was ended may take to be gone, ms; what then still is ends with its task. */
const END_PATIENCE_MS: number = 5 * second
/** What a terminal's line discipline takes for the end: Ctrl-D. */
const END_OF_INPUT = Uint8Array.of(4)
/** What the engine says a program exited with that could not be invoked, or was not found. Source: `docker help exec`. */
const NOT_STARTED: readonly number[] = [126, 127]
/** Longest part kept of why a program could not be started, characters. */
const MAX_SAID_CHARS = 250

/**
 * Runs a program in a container beside what it was made for: as the same user, in the same groups and behind the same
 * filter, because the engine takes all of that from the container's own settings.
 * @throws HiveError EXEC_FAILED, TASK_NOT_RUNNING; SANDBOX_UNAVAILABLE when the engine is gone
 */
export async function execInContainer(
  container: Docker.Container,
  program: ExecProgram,
  { signal, taskEnd }: AttachOptions & { readonly taskEnd: AbortSignal },
): Promise<ExecSession> {
  signal.throwIfAborted()
  const { terminal, command } = program
  const isTerminal = terminal !== undefined
  const env = Object.entries(program.env).map(([name, value]) => `${name}=${value}`)
  const exec = await asked(
    container.exec({
      Cmd: [...command],
      Env: env,
      User: `${JOB_UID}:${JOB_UID}`,
      Privileged: false,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: isTerminal,
    }),
  )
  const stream: Duplex = await asked(exec.start({ hijack: true, stdin: true, Tty: isTerminal }))
  endWith(stream, taskEnd)
  const session = new ContainerExec(container.id, exec, stream, isTerminal)
  try {
    await session.started(signal)
    if (terminal !== undefined) await session.resize(terminal)
    return session
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

/** Ends a stream with its task: of a kernel that died as a whole the engine does not say that its programs have ended. */
function endWith(stream: Duplex, taskEnd: AbortSignal): void {
  const onEnd = () => {
    stream.destroy()
  }
  taskEnd.addEventListener('abort', onEnd, { once: true })
  stream.once('close', () => {
    taskEnd.removeEventListener('abort', onEnd)
  })
  if (taskEnd.aborted) onEnd()
}

class ContainerExec implements ExecSession {
  readonly output: AsyncIterable<PrintedPiece>
  readonly #container: string
  readonly #exec: Docker.Exec
  readonly #stream: Duplex
  readonly #isTerminal: boolean

  constructor(container: string, exec: Docker.Exec, stream: Duplex, isTerminal: boolean) {
    this.#container = container
    this.#exec = exec
    this.#stream = stream
    this.#isTerminal = isTerminal
    // told to whoever reads; without a listener it would end this process
    stream.on('error', () => undefined)
    this.output = isTerminal ? plainPieces(stream) : framedPieces(stream)
  }

  async exitCode(): Promise<number> {
    for (;;) {
      const { Running: isRunning, ExitCode: code } = await asked(this.#exec.inspect())
      if (!isRunning && code !== null) return code
      await pause(POLL_MS)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await patientWrite(this.#stream, bytes)
  }

  async endInput(): Promise<void> {
    // a terminal is not closed: its reader is told the end by the character for it
    if (this.#isTerminal) await patientWrite(this.#stream, END_OF_INPUT)
    else this.#stream.end()
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    if (!this.#isTerminal) return
    try {
      await this.#exec.resize({ w: columns, h: rows })
    } catch (error) {
      // a program that has just ended has no terminal any more
      if (refusalOf(error) === undefined) throw engineGone(error)
    }
  }

  /** Waits until it runs: the engine answers before. @throws HiveError EXEC_FAILED */
  async started(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const { Pid: pid, ExitCode: code } = await asked(this.#exec.inspect())
      // Podman forgets the process of a program that has ended already
      if (pid > 0 || (code !== null && !NOT_STARTED.includes(code))) return
      if (code !== null) break
      await pause(POLL_MS)
    }
    let message = ''
    for await (const { bytes } of this.output) message += Buffer.from(bytes).toString()
    const said = forStrangers({ status: 400, message: message.trim().slice(0, MAX_SAID_CHARS) })
    throw new HiveError('EXEC_FAILED', { said })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy()
    const deadline = performance.now() + END_PATIENCE_MS
    while (performance.now() < deadline) {
      const { Running: isRunning, Pid: pid } = await this.#exec.inspect().catch(() => GONE)
      if (!isRunning) return
      await endProcess(pid, this.#container)
      await pause(POLL_MS)
    }
  }
}

/** What of a program whose container is no more, or whose engine is not. */
const GONE = { Running: false, Pid: 0 }

async function* plainPieces(stream: Duplex): AsyncGenerator<PrintedPiece> {
  for await (const bytes of chunksOf(stream)) yield { stream: 1, bytes }
}

async function* framedPieces(stream: Duplex): AsyncGenerator<PrintedPiece> {
  const pieces: PrintedPiece[] = []
  const push = (from: PrintedPiece['stream'], bytes: Uint8Array) => {
    pieces.push({ stream: from, bytes })
  }
  const capture = new OutputCapture({ output: { push } })
  for await (const chunk of chunksOf(stream)) {
    capture.push(chunk)
    yield* pieces.splice(0)
  }
}

async function* chunksOf(stream: Duplex): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    // closed from here: whoever did it does not ask what else there was
    if (!stream.destroyed || stream.errored !== null) throw engineGone(error)
  }
}

/** What the engine answers, its refusals in the words of {@link Attach}. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw engineGone(error)
    // 404: no such container; 409: it does not run
    if (refusal.status === 404 || refusal.status === 409)
      throw new HiveError('TASK_NOT_RUNNING', {}, { cause: error })
    throw new HiveError('EXEC_FAILED', { said: forStrangers(refusal) }, { cause: error })
  }
}
