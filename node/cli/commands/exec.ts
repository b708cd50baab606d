import type { Command } from 'commander'
import type { ExecBody } from '../../api/schemas/attach.ts'
import type { FrameSocket } from '../../api/frame-socket.ts'
import { HiveError } from '../../domain/errors.ts'
import { decodeExecOutput, encodeExecInput, piecesOf } from '../../protocol/attach.ts'
import { command, contextOf, interruptible, type CommonOptions, type SetExit } from '../command.ts'
import { EXIT } from '../job/exit-code.ts'
import { jobOutput } from '../output/job-output.ts'
import { print } from '../output/printing.ts'
import type { CliParts, Terminal } from '../parts.ts'
import { parseTaskName } from '../task-name.ts'

interface ExecOptions extends CommonOptions {
  readonly interactive?: boolean
  readonly tty?: boolean
  readonly env?: readonly string[]
}

/** `hive exec`: a program inside a task that runs. */
export function execCommand(parts: CliParts, setExit: SetExit): Command {
  return command({
    usage: 'exec <task> <command...>',
    description: 'Run a program inside a task that runs, as its user and within its limits',
    examples: [
      'exec 0x3fa2 -- ps',
      'exec -it 0x3fa2/7 -- sh',
      'exec -i 0x3fa2 -- tar -x -C /tmp < more.tar',
    ],
  })
    .argument('<task>', 'JOB, or JOB/TASK where the job has several')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('-i, --interactive', 'pass standard input on')
    .option('-t, --tty', 'on a terminal of its own, in the place of this one')
    .option('--env <name=value>', 'variable of the program; repeatable', repeatable)
    .action(async (name: string, words: string[], options: ExecOptions) => {
      setExit(EXIT.ours)
      setExit(await exec(parts, name, words, options))
    })
}

async function exec(
  parts: CliParts,
  name: string,
  words: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const { job, task } = parseTaskName(name)
  const terminal = options.tty === true ? parts.terminal?.() : undefined
  if (options.tty === true && terminal === undefined)
    throw new HiveError('INPUT_INVALID', { problems: ['--tty: this is no terminal'] })
  const request: ExecBody = {
    ...(task !== undefined && { task }),
    command: [...words],
    env: { ...(terminal && { TERM: terminal.name }), ...variables(options.env ?? []) },
    ...(terminal && { terminal: terminal.size() }),
  }
  const client = await contextOf(parts, options).node()
  using stop = interruptible(parts)
  try {
    using socket = await client.upgraded(`/v1/jobs/${job}/exec`, request, { signal: stop.signal })
    stop.signal.addEventListener('abort', () => socket[Symbol.dispose]())
    const first = decodeExecOutput((await socket.read()) ?? new Uint8Array())
    if (first.type !== 'started') throw new HiveError('PEER_PROTOCOL', { at: 'exec' })
    using _raw = terminal && attached(terminal, socket)
    void typed(parts, socket, options.interactive === true).catch(() => undefined) // the reader hears why
    return await shown(parts, socket, terminal !== undefined)
  } catch (error) {
    if (!stop.signal.aborted) throw error
    return EXIT.interrupted
  } finally {
    // a read that waits for a key would keep this process
    parts.stdin.destroy?.()
  }
}

/** Prints what comes, until the exit code does. */
async function shown(parts: CliParts, socket: FrameSocket, isRaw: boolean): Promise<number> {
  const outputs = isRaw
    ? [parts.stdout, parts.stderr]
    : [jobOutput(parts.stdout), jobOutput(parts.stderr)]
  for (let frame = await socket.read(); frame !== undefined; frame = await socket.read()) {
    const said = decodeExecOutput(frame)
    // the shell sees eight bits; a failure must not turn into success on the way
    if (said.type === 'exit') return said.code === 0 ? EXIT.ok : said.code & 0xff || EXIT.failed
    const output = said.type === 'output' ? outputs[said.stream - 1] : undefined
    if (said.type === 'output' && output !== undefined) await print(output, said.bytes)
  }
  throw new HiveError('STREAM_CUT', { at: 'exec' })
}

/** Sends what is typed, to its end. */
async function typed(parts: CliParts, socket: FrameSocket, isWanted: boolean): Promise<void> {
  if (isWanted)
    for await (const chunk of parts.stdin)
      for (const bytes of piecesOf(Buffer.from(chunk)))
        await socket.write(encodeExecInput({ type: 'input', bytes }))
  await socket.write(encodeExecInput({ type: 'input-end' }))
}

/** Gives the terminal over: every key goes on as it is, every change of size is told. */
function attached(terminal: Terminal, socket: FrameSocket): Disposable {
  terminal.setRaw(true)
  const forget = terminal.onResize(() => {
    const size = encodeExecInput({ type: 'resize', ...terminal.size() })
    void socket.write(size).catch(() => undefined) // the reader hears why
  })
  return {
    [Symbol.dispose]: () => {
      forget()
      terminal.setRaw(false)
    },
  }
}

function variables(entries: readonly string[]): Record<string, string> {
  const parts = entries.map((entry) => /^([^=]+)=(.*)$/s.exec(entry) ?? entry)
  const problems = parts.filter((part) => typeof part === 'string')
  if (problems.length > 0)
    throw new HiveError('INPUT_INVALID', {
      problems: problems.map((text) => `--env ${text.slice(0, 60)}: expected NAME=VALUE`),
    })
  return Object.fromEntries(parts.map(([, name = '', value = '']) => [name, value]))
}

function repeatable(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
