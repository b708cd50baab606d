import type { Command } from 'commander'
import type { PricesBody } from '../../api/schemas/prices.ts'
import { HiveError } from '../../domain/errors.ts'
import { formatAmount } from '../../domain/money.ts'
import { day, hour, parseDuration } from '../../domain/units.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { columns } from '../output/columns.ts'
import { plain } from '../output/plain-text.ts'
import type { CliParts } from '../parts.ts'

/** `hive prices`: what computing has cost lately, as this node saw it. */
export function pricesCommand(parts: CliParts): Command {
  return command({
    usage: 'prices [class]',
    description: 'Show what a core-second has cost, by class and hour, as this node saw it',
    examples: ['prices', 'prices wasm --last 7d', "prices docker --json | jq '.hours[-1]'"],
  })
    .argument('[class]', 'of offers, such as wasm; left out: all')
    .option('--last <duration>', 'how far back, at most 30d', '24h')
    .action(
      async (
        name: string | undefined,
        options: CommonOptions & { readonly last: string },
      ): Promise<void> => {
        const { node, show } = contextOf(parts, options)
        const lastMs = parseDuration(options.last)
        if (lastMs === undefined || lastMs < hour || lastMs > 30 * day)
          throw new HiveError('INPUT_INVALID', { problems: ['--last: from 1h to 30d'] })
        const client = await node()
        const query = new URLSearchParams({ since: String(Math.max(0, parts.now() - lastMs)) })
        if (name !== undefined) query.set('class', name)
        const body = await client.get<PricesBody>(`/v1/prices?${query.toString()}`)
        await show(body, () => lines(body))
      },
    )
}

function lines({ hours }: PricesBody): string[] {
  if (hours.length === 0) return ['No price was seen in that time.']
  return columns(
    ['HOUR (UTC)', 'CLASS', 'PER', 'WHAT', 'SEEN', 'LOW', 'MEDIAN', 'HIGH'],
    hours.flatMap(({ class: name, at, per, tallies }) =>
      tallies.map(({ source, count, low, median, high }) => [
        new Date(at).toISOString().slice(0, 13).replace('T', ' '),
        plain(name),
        per,
        source,
        String(count),
        ...[low, median, high].map((amount) => formatAmount(BigInt(amount))),
      ]),
    ),
  )
}
