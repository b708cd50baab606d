import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HiveError } from '../../domain/errors.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import type { CliParts } from '../parts.ts'

const KEY_BYTES = 32

/** `hive network-key FILE`: the key of a new private network, in the format that other libp2p programs share too. */
export function networkKeyCommand(parts: CliParts): Command {
  return command({
    usage: 'network-key',
    description: 'Make the key of a private network: nodes without it cannot connect',
    examples: ['network-key ./network.key'],
  })
    .argument('<file>', 'where to write it; never over a file that exists')
    .action(async (file: string, options: CommonOptions) => {
      const { show } = contextOf(parts, options)
      const path = resolve(parts.cwd, file)
      const text = `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(KEY_BYTES).toString('hex')}\n`
      try {
        await writeFile(path, text, { mode: 0o600, flag: 'wx' })
      } catch (cause) {
        throw new HiveError('OUTPUT_UNWRITABLE', { path }, { cause })
      }
      await show({ path }, () => [
        `Written to ${path}.`,
        'Bring it to every node of the network by a safe way, and name it there as network.keyFile.',
      ])
    })
}
