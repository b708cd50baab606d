import { Command, CommanderError } from 'commander'
import type { SetExit } from './command.ts'
import { benchCommand } from './commands/bench.ts'
import { cacheCommand } from './commands/cache.ts'
import { cancelCommand } from './commands/cancel.ts'
import { challengeCommand } from './commands/challenge.ts'
import { devnetCommand } from './commands/devnet.ts'
import { extendCommand } from './commands/extend.ts'
import { stopCommand } from './commands/stop.ts'
import { execCommand } from './commands/exec.ts'
import { forwardCommand } from './commands/forward.ts'
import { imageCommand } from './commands/image.ts'
import { initCommand } from './commands/init.ts'
import { jobCommand } from './commands/job.ts'
import { jobsCommand } from './commands/jobs.ts'
import { logsCommand } from './commands/logs.ts'
import { networkKeyCommand } from './commands/network-key.ts'
import { peersCommand } from './commands/peers.ts'
import { pricesCommand } from './commands/prices.ts'
import { quoteCommand } from './commands/quote.ts'
import { runCommand } from './commands/run.ts'
import { statusCommand } from './commands/status.ts'
import { topCommand } from './commands/top.ts'
import { upCommand } from './commands/up.ts'
import { verifyCommand } from './commands/verify.ts'
import { walletCommand } from './commands/wallet.ts'
import { whyCommand } from './commands/why.ts'
import { EXIT } from './job/exit-code.ts'
import { asHiveError, errorJson, errorText } from './output/error-text.ts'
import { printJson, printLine } from './output/printing.ts'
import { styleFor } from './output/style.ts'
import type { CliParts } from './parts.ts'

/** Exit code of a command line that cannot be understood. */
const USAGE = 2

/** The command line. */
export interface Program {
  /** Runs one line, without the program's own name. Resolves with the exit code; never rejects. */
  run(args: readonly string[]): Promise<number>
}

/** The `hive` program with all its commands. */
export function createProgram(parts: CliParts): Program {
  return {
    async run(args) {
      let exit: number = EXIT.ok
      // Without a listener the second telling would end the process; the write itself has failed already.
      for (const output of [parts.stdout, parts.stderr]) output.on?.('error', () => {})
      try {
        await commandTree(parts, (code) => (exit = code)).parseAsync([...args], { from: 'user' })
        return exit
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : USAGE
        if (isClosedPipe(error)) return EXIT.closedPipe
        await tellError(parts, error, wantsJson(args))
        return exit === EXIT.ok ? EXIT.failed : exit
      }
    },
  }
}

/** Every command with its help. */
export function commandTree(parts: CliParts, setExit: SetExit): Command {
  const program = new Command('hive')
    .description('A peer-to-peer market for compute.')
    .version(parts.version, '-V, --version', 'the version of this program')
    .addHelpText('after', '\nStart here:\n  $ hive devnet\n  $ hive run --help\n')
  const commands = [
    initCommand(parts),
    networkKeyCommand(parts),
    upCommand(parts),
    statusCommand(parts),
    runCommand(parts, setExit),
    quoteCommand(parts),
    pricesCommand(parts),
    imageCommand(parts),
    jobsCommand(parts),
    jobCommand(parts),
    whyCommand(parts),
    logsCommand(parts),
    cancelCommand(parts),
    execCommand(parts, setExit),
    forwardCommand(parts),
    extendCommand(parts),
    stopCommand(parts),
    cacheCommand(parts),
    peersCommand(parts),
    challengeCommand(parts, setExit),
    benchCommand(parts),
    topCommand(parts),
    walletCommand(parts),
    verifyCommand(parts, setExit),
    devnetCommand(parts),
  ]
  for (const each of commands) program.addCommand(each)
  for (const each of [program, ...commands, ...commands.flatMap(({ commands: sub }) => sub)]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => void parts.stdout.write(text, () => {}),
      writeErr: (text) => void parts.stderr.write(text, () => {}),
    })
  }
  return program
}

async function tellError(parts: CliParts, error: unknown, json: boolean): Promise<void> {
  const known = asHiveError(error)
  if (json) await printJson(parts.stderr, errorJson(known))
  else await printLine(parts.stderr, errorText(known, styleFor(parts.stderr, parts.env.noColor)))
}

/** Whoever read our output has seen enough. */
function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE'
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}
