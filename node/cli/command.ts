import { resolve } from 'node:path'
import { Command } from 'commander'
import { NodeClient } from './node-client.ts'
import { print, printJson } from './output/printing.ts'
import { styleFor, type Style } from './output/style.ts'
import type { CliParts } from './parts.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly data?: string
  readonly json?: boolean
}

/** Records the exit code of the command that ran. */
export type SetExit = (code: number) => void

/** What a command gets besides its own arguments. */
export interface CommandContext {
  readonly parts: CliParts
  readonly dataDir: string
  readonly json: boolean
  readonly style: Style
  /** Talks to the node of the data folder. Throws `NODE_NOT_RUNNING`. */
  readonly node: () => Promise<NodeClient>
  /** Prints one document: for machines as JSON, for people as these lines. */
  readonly show: (value: unknown, lines: () => readonly string[]) => Promise<void>
}

/** How a command introduces itself. */
export interface CommandText {
  /** With its arguments, as Commander writes them. */
  readonly usage: string
  readonly description: string
  /** Command lines that work, without the leading `hive`. */
  readonly examples: readonly string[]
}

/** A command with the common options and its examples in the help. */
export function command({ usage, description, examples }: CommandText): Command {
  const lines = examples.map((example) => `  $ hive ${example}`)
  return new Command(usage.split(' ')[0])
    .description(description)
    .usage(`[options] ${usage.split(' ').slice(1).join(' ')}`.trimEnd())
    .option('--data <dir>', 'data folder of the node (default: HIVE_DATA, or ~/.hive)')
    .option('--json', 'print JSON for machines')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}\n`)
}

/** The context of a command from its options. */
export function contextOf(parts: CliParts, options: CommonOptions): CommandContext {
  const dataDir = resolve(parts.cwd, options.data ?? parts.env.dataDir)
  const json = options.json === true
  return {
    parts,
    dataDir,
    json,
    style: styleFor(parts.stdout, parts.env.noColor),
    node: async () => NodeClient.open(dataDir, parts.fetch),
    show: async (value, lines) =>
      json
        ? printJson(parts.stdout, value)
        : print(
            parts.stdout,
            lines()
              .map((line) => `${line}\n`)
              .join(''),
          ),
  }
}

/** Aborts at the first interrupt; disposing stops listening. */
export function interruptible(parts: CliParts): { readonly signal: AbortSignal } & Disposable {
  const stop = new AbortController()
  const forget = parts.onInterrupt(() => stop.abort())
  return { signal: stop.signal, [Symbol.dispose]: forget }
}
