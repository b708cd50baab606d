import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HiveError } from '../../node/domain/errors.ts'

/** A child process that tells one message when it is ready, and ends when its parent does. */
export interface Child<T> extends AsyncDisposable {
  readonly process: ChildProcess
  /** What it said when it was ready. */
  readonly ready: T
}

export interface ChildOptions {
  readonly args?: readonly string[]
  /** Of Node itself, before the script. */
  readonly nodeFlags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A program and its arguments that start the process in their turn, such as `ip netns exec NAME`. */
  readonly through?: readonly string[]
  /** Where its output goes. */
  readonly logFile: string
  readonly signal: AbortSignal
}

/** Where Node keeps what it compiled, so that a node starts in half the time from its second start on. */
export const COMPILE_CACHE: string = fileURLToPath(
  new URL('../../node_modules/.cache/compile', import.meta.url),
)
/**
 * Flags that a node runs with, as scripts/run.sh gives them: V8 lets its nursery grow to three times
 * 16 MiB otherwise, and the garbage to the size of what lives.
 */
export const LEAN_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--heap-growing-percent=20',
  '--optimize-for-size',
]
/** What a node has in its environment, as there: the C library keeps freed memory for each of eight threads otherwise. */
export const LEAN_ENV = { MALLOC_ARENA_MAX: '1' } as const
/** How long a child may take to end by itself before it is killed, ms. */
const STOP_TIMEOUT_MS = 8000

/** Starts a script of this repository and waits until it is ready. Throws INTERNAL when it ends before. */
export async function startChild<T>(script: string, options: ChildOptions): Promise<Child<T>> {
  const { args = [], nodeFlags = [], env = {}, through = [], logFile, signal } = options
  signal.throwIfAborted()
  const log = createWriteStream(logFile, { flags: 'a' })
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url))
  const [command = '', ...line] = [...through, process.execPath, ...nodeFlags, path, ...args]
  const child = spawn(command, line, {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    // oxlint-disable-next-line node/no-process-env -- a child of a developer's script runs where that runs
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  const running: Child<T> = {
    process: child,
    ready: undefined as T,
    async [Symbol.asyncDispose]() {
      await stop(child)
      log.end()
    },
  }
  try {
    const ready = await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as T),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new HiveError('INTERNAL', { script, exitCode: Number(code), log: logFile })
      }),
    ])
    return { ...running, ready }
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
}

/** Asks a child to end by leaving it, and kills it when it does not. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
