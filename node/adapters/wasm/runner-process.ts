import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { HiveError } from '../../domain/errors.ts'
import type { FromRunner, ToRunner } from './runner/messages.ts'
import type { RunnerCommand } from './runner-command.ts'

/** Where `bwrap` is looked for; the runner itself gets no environment. */
const SEARCH = '/usr/local/bin:/usr/bin:/bin'
/** How much of what a runner says on stderr is kept, characters. */
const STDERR_CHARS = 2000

/** How long a runner that took too long to start may take to end, ms. */
const GRACE_MS = 5000

/** Starts the command with its channel and its filter. */
export function launch({ command, args, filter }: RunnerCommand): ChildProcess {
  const child = spawn(command, args, {
    cwd: '/',
    env: { PATH: SEARCH },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', filter === undefined ? 'ignore' : 'pipe'],
    serialization: 'advanced',
  })
  const stream = child.stdio[4]
  if (stream instanceof Socket && filter !== undefined) {
    // a command that ends before it has read its filter is heard of by its end
    stream.on('error', () => undefined).end(filter)
  }
  return child
}

/** A runner as a child of this process. */
export class RunnerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  #stderr = ''
  /** Resolves with what can be said about it, once the process is gone. */
  readonly gone: Promise<string>

  constructor(child: ChildProcess) {
    this.#child = child
    // Whoever holds the other end of stderr is part of the runner, also when its parent is gone already.
    const silent = new Promise((resolve) => child.stderr?.once('close', resolve))
    this.gone = new Promise((resolve) => {
      child.on('error', (error) => {
        resolve(error.message)
      })
      child.once('exit', (code, signal) => {
        void silent.then(() => {
          resolve(`${signal ?? `exit code ${code ?? -1}`} ${this.#stderr}`.trim())
        })
      })
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS)
    })
  }

  /** Starts a runner and waits until it can take tasks. Throws SANDBOX_UNAVAILABLE when it does not come up. */
  static async start(
    command: RunnerCommand,
    onMessage: (message: FromRunner) => void,
    timeoutMs: number,
  ): Promise<RunnerProcess> {
    const child = launch(command)
    const runner = new RunnerProcess(child)
    const ready = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => {
      runner.#giveUp()
    }, timeoutMs)
    child.on('message', (message) => {
      ready.resolve(undefined)
      onMessage(message as FromRunner)
    })
    const why = await Promise.race([ready.promise, runner.gone])
    clearTimeout(timer)
    if (why === undefined) return runner
    throw new HiveError('SANDBOX_UNAVAILABLE', { kind: 'wasm', command: command.command, why })
  }

  /** Sends in order. To a process that is gone it is lost, and `gone` tells. */
  send(message: ToRunner): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill('SIGKILL')
    await this.gone
  }

  // A bubblewrap killed while it sets up leaves its other half waiting for ever. The closed channel
  // tells a runner that does come up to end; only one that hangs is killed.
  #giveUp(): void {
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS)
    void this.gone.then(() => {
      clearTimeout(timer)
    })
  }
}
