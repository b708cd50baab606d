import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HiveError } from '../../domain/errors.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { printJson, printLine } from '../output/printing.ts'
import type { CliParts } from '../parts.ts'

/** Each provider is a process of its own; more would crowd out the machine. */
const MAX_PROVIDERS = 16

/** `hive devnet`: a network to play with, all of it on this machine. */
export function devnetCommand(parts: CliParts): Command {
  return command({
    usage: 'devnet',
    description: 'Run a chain, the contract and some nodes on this machine until interrupted',
    examples: ['devnet', 'devnet --providers 5 --dir ./play'],
  })
    .option('--dir <dir>', 'folder for everything it keeps', './.hive-devnet')
    .option('--providers <n>', 'providers besides the one requester', '3')
    .action(
      async (options: CommonOptions & { readonly dir: string; readonly providers: string }) => {
        const { json } = contextOf(parts, options)
        const providers = /^\d{1,3}$/.test(options.providers) ? Number(options.providers) : 0
        if (providers < 1 || providers > MAX_PROVIDERS)
          throw new HiveError('INPUT_INVALID', {
            problems: [`--providers: expected a whole number from 1 to ${MAX_PROVIDERS}`],
          })
        using stop = interruptible(parts)
        let printed = Promise.resolve()
        await parts.devnet({
          dir: resolve(parts.cwd, options.dir),
          providers,
          signal: stop.signal,
          onLine: (line) => {
            printed = printed.then(async () =>
              json ? printJson(parts.stdout, { line }) : printLine(parts.stdout, line),
            )
          },
        })
        await printed
      },
    )
}
