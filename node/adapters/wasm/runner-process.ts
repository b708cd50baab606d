import { spawn, type ChildProcess } from 'node:child_process'
import { HiveError } from '../../domain/errors.ts'
import type { FromRunner, ToRunner } from './runner/messages.ts'
import type { RunnerCommand } from './runner-command.ts'

/** Where `bwrap` is looked for; the runner itself gets no environment. */
const SEARCH = '/usr/local/bin:/usr/bin:/bin'
/** How much of what a runner says on stderr is kept, characters. */
const STDERR_CHARS = 2000

/** A runner as a child of this process. */
export class RunnerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  #stderr = ''
  /** Resolves with what can be said about it, once the process is gone. */
  readonly gone: Promise<string>

  constructor(child: ChildProcess) {
    this.#child = child
    this.gone = new Promise((resolve) => {
      child.on('error', (error) => {
        resolve(error.message)
      })
      child.once('close', (code, signal) => {
        resolve(`${signal ?? `exit code ${code ?? -1}`} ${this.#stderr}`.trim())
      })
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS)
    })
  }

  /** Starts a runner and waits until it can take tasks. Throws SANDBOX_UNAVAILABLE when it does not come up. */
  static async start(
    { command, args }: RunnerCommand,
    onMessage: (message: FromRunner) => void,
    timeoutMs: number,
  ): Promise<RunnerProcess> {
    const child = spawn(command, args, {
      cwd: '/',
      env: { PATH: SEARCH },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    const runner = new RunnerProcess(child)
    const ready = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('message', (message) => {
      ready.resolve(undefined)
      onMessage(message as FromRunner)
    })
    const why = await Promise.race([ready.promise, runner.gone])
    clearTimeout(timer)
    if (why === undefined) return runner
    throw new HiveError('SANDBOX_UNAVAILABLE', { kind: 'wasm', command, why })
  }

  /** Sends in order. To a process that is gone it is lost, and `gone` tells. */
  send(message: ToRunner): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.gone
  }
}
