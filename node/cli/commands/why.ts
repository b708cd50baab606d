import type { Command } from 'commander'
import type { WhyBody } from '../../api/schemas/why.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import type { NodeClient } from '../node-client.ts'
import { whyLines } from '../output/why-text.ts'
import type { CliParts } from '../parts.ts'

/** `hive why`: what providers said to a job. */
export function whyCommand(parts: CliParts): Command {
  return command({
    usage: 'why <job>',
    description: 'Show why providers do not take a job, and what would bring more bids',
    examples: ['why 0x3fa2', "why 0x3fa2 --json | jq '.whatIf'"],
  })
    .argument('<job>', 'id of a job, or a unique start of one')
    .action(async (id: string, options: CommonOptions) => {
      const { node, show, style } = contextOf(parts, options)
      const why = await whyOf(await node(), id)
      await show(why, () => whyLines(why, style))
    })
}

/** What the node knows about why a job is not taken. */
export async function whyOf(client: NodeClient, id: string): Promise<WhyBody> {
  return client.get<WhyBody>(`/v1/jobs/${encodeURIComponent(id)}/why`)
}
