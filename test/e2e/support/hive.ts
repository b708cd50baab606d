import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { COMPILE_CACHE } from '../../../scripts/devnet/child.ts'
import { PATIENCE_MS } from './shared-network.ts'

const MAIN = fileURLToPath(new URL('../../../node/main.ts', import.meta.url))

const BIN = fileURLToPath(new URL('../../../bin/hive', import.meta.url))
/** What users call, where core dumps are allowed as far as they can be. */
export const LAUNCHER: readonly string[] = [
  'sh',
  '-c',
  'ulimit -S -c "$(ulimit -H -c)"; exec sh "$@"',
  'sh',
  BIN,
]

/** How a command line ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `hive` in a process of its own, as a user at a terminal has it, with only these variables of ours. */
export class Hive {
  readonly #env: Readonly<Record<string, string>>
  readonly #program: readonly string[]

  constructor(
    env: Readonly<Record<string, string>>,
    program: readonly string[] = [process.execPath, MAIN],
  ) {
    this.#env = env
    this.#program = program
  }

  /** Runs one command to its end. */
  async run(...args: string[]): Promise<Ended> {
    return ended(this.start(...args), PATIENCE_MS)
  }

  /** Runs one that must fail, and returns its exit code with its error as it says it to machines. */
  async refusal(command: string, ...args: string[]): Promise<Refusal> {
    const { code, stderr } = await this.run(command, '--json', ...args)
    // A node's log lines go the same way; the error is the last line.
    const last = stderr.trim().split('\n').at(-1) ?? ''
    const { error } = JSON.parse(last) as { error: Omit<Refusal, 'exit'> }
    return { exit: code, ...error }
  }

  /** With further variables. */
  with(env: Readonly<Record<string, string>>): Hive {
    return new Hive({ ...this.#env, ...env }, this.#program)
  }

  /** Runs one command to its end, with this on its standard input. */
  async fed(input: string, ...args: string[]): Promise<Ended> {
    const child = this.#spawn('pipe', args)
    child.stdin?.end(input)
    return ended(child, PATIENCE_MS)
  }

  start(...args: string[]): ChildProcess {
    return this.#spawn('ignore', args)
  }

  #spawn(stdin: 'ignore' | 'pipe', args: readonly string[]): ChildProcess {
    // oxlint-disable-next-line node/no-process-env -- a child needs the path, and none of our settings
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('HIVE_'))
    const [command = '', ...before] = this.#program
    return spawn(command, [...before, ...args], {
      env: {
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...Object.fromEntries(kept),
        NO_COLOR: '1',
        ...this.#env,
      },
      stdio: [stdin, 'pipe', 'pipe'],
    })
  }
}

/** A command line that was refused. */
export interface Refusal {
  readonly exit: number | null
  readonly code: string
  readonly data: Readonly<Record<string, unknown>>
  readonly remedy: string
}

/** A node that `hive up` runs. */
export interface Up {
  readonly child: ChildProcess
  /** What it said when it was ready. */
  readonly ready: { readonly peer: string; readonly address: string; readonly apiPort: number }
}

/** Starts `hive up` and waits until it serves. Rejects with its output when it ends before. */
export async function up(hive: Hive, dataDir: string): Promise<Up> {
  const child = hive.start('up', '--data', dataDir, '--json')
  let said = ''
  let complained = ''
  child.stderr?.on('data', (chunk: Buffer) => (complained += chunk.toString()))
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const end = said.indexOf('\n')
      if (end >= 0) resolve(said.slice(0, end))
    })
    child.once('exit', () => reject(new Error(complained)))
  })
  return { child, ready: JSON.parse(await ready) as Up['ready'] }
}

/** Waits for the end of a process and collects what it prints; kills one that takes too long. */
export async function ended(child: ChildProcess, patienceMs: number): Promise<Ended> {
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  const said: Buffer[] = []
  const complained: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => said.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => complained.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return {
    code,
    stdout: Buffer.concat(said).toString(),
    stderr: Buffer.concat(complained).toString(),
  }
}
