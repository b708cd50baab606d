import type { Command } from 'commander'
import type { CacheEntryBody } from '../../api/schemas/cache.ts'
import { HiveError } from '../../domain/errors.ts'
import { formatBytes } from '../../domain/units.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { columns } from '../output/columns.ts'
import { plain } from '../output/plain-text.ts'
import { counted, dateText } from '../output/words.ts'
import type { CliParts } from '../parts.ts'

/** `hive cache`: results that answer the same deterministic jobs again. */
export function cacheCommand(parts: CliParts): Command {
  return command({
    usage: 'cache <command>',
    description: 'See and remove results that answer the same deterministic jobs again',
    examples: ['cache ls', 'cache rm bafyrei…', 'cache rm --all'],
  })
    .addCommand(listCommand(parts))
    .addCommand(removeCommand(parts))
}

function listCommand(parts: CliParts): Command {
  return command({
    usage: 'ls',
    description: 'List what the result cache has, the entry used last first',
    examples: ['cache ls', 'cache ls --json'],
  }).action(async (_options: CommonOptions, self: Command) => {
    const { node, show } = contextOf(parts, self.optsWithGlobals())
    const list = await entriesOf(await node())
    return show({ entries: list }, () =>
      list.length === 0
        ? ['Nothing yet. `hive run --deterministic --cache` puts results into it.']
        : columns(
            ['SPEC', 'PROGRAM', 'TASKS', 'SIZE', 'HITS', 'USED'],
            list.map(({ spec, image, tasks, known, bytes, hits, usedAt }) => [
              spec,
              plain(image),
              `${known}/${tasks}`,
              formatBytes(bytes),
              String(hits),
              dateText(usedAt),
            ]),
          ),
    )
  })
}

function removeCommand(parts: CliParts): Command {
  return command({
    usage: 'rm [spec]',
    description: 'Forget the results of one spec, or all of them',
    examples: ['cache rm bafyrei…', 'cache rm --all'],
  })
    .argument('[spec]', 'CID of a spec, or a unique start of one')
    .option('--all', 'every entry')
    .action(async (spec: string | undefined, _options: CommonOptions, self: Command) => {
      const options: CommonOptions & { readonly all?: boolean } = self.optsWithGlobals()
      const { node, show } = contextOf(parts, options)
      if ((spec === undefined) === (options.all !== true))
        throw new HiveError('INPUT_INVALID', {
          problems: ['expected a spec or --all, one of them'],
        })
      const client = await node()
      const entries = await entriesOf(client)
      if (spec === undefined) {
        await client.delete('/v1/cache')
        return show({ removed: entries.length }, () => [counted(entries.length, 'entry')])
      }
      const found = entries.filter((each) => each.spec.startsWith(spec))
      const [entry, ...others] = found
      if (entry === undefined || others.length > 0)
        throw new HiveError('CACHE_UNKNOWN', { spec: spec.slice(0, 80), matches: found.length })
      await client.delete(`/v1/cache/${entry.spec}`)
      return show({ removed: 1 }, () => [entry.spec])
    })
}

async function entriesOf(client: {
  get<T>(path: string): Promise<T>
}): Promise<readonly CacheEntryBody[]> {
  return (await client.get<{ readonly entries: readonly CacheEntryBody[] }>('/v1/cache')).entries
}
