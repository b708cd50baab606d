import type { Command } from 'commander'
import { loadConfig } from '../../config/config-file.ts'
import { HiveError } from '../../domain/errors.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { pairs } from '../output/columns.ts'
import { printJson, printLine } from '../output/printing.ts'
import type { CliParts, RunningNode } from '../parts.ts'

/** `hive up`: the node itself, until it is interrupted. */
export function upCommand(parts: CliParts): Command {
  return command({
    usage: 'up',
    description: 'Run the node of a data folder until it is interrupted',
    examples: ['up', 'up --data ./provider', 'HIVE_PASSPHRASE_FILE=./secret hive up --json'],
  }).action(async (options: CommonOptions) => {
    const { dataDir, json } = contextOf(parts, options)
    const config = await loadConfig(dataDir, parts.env.overrides)
    const passphrase =
      (await parts.passphraseSetting()) ?? (await parts.readPassphrase('Passphrase: '))
    if (passphrase === undefined) throw new HiveError('PASSPHRASE_MISSING')
    using stop = interruptible(parts)
    let shown = Promise.resolve()
    const onReady = (node: RunningNode) => {
      shown = json ? printJson(parts.stdout, { dataDir, ...node }) : tell(parts, node)
    }
    await parts.upNode({ dataDir, config, passphrase, signal: stop.signal, onReady })
    await shown
  })
}

async function tell(parts: CliParts, node: RunningNode): Promise<void> {
  const role =
    node.kinds.length === 0 ? 'requester' : `requester and provider (${node.kinds.join(', ')})`
  const lines = pairs([
    ['peer', node.peer],
    ['address', node.address],
    ['role', role],
    ['listening', node.addresses.join('\n           ')],
    ['api', `http://127.0.0.1:${node.apiPort}`],
  ])
  for (const line of lines) await printLine(parts.stdout, line)
}
