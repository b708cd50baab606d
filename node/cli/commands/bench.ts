import type { Command } from 'commander'
import type { ScoreBody } from '../../api/schemas/hardware.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { pairs } from '../output/columns.ts'
import { scorePairs } from '../output/score-text.ts'
import type { CliParts } from '../parts.ts'

/** `hive bench`: what this machine can do, measured now. */
export function benchCommand(parts: CliParts): Command {
  return command({
    usage: 'bench',
    description: 'Measure what the machine of the running node can do; takes up to 3 seconds',
    examples: ['bench', "bench --json | jq '.fuelPerSecond'"],
  }).action(async (options: CommonOptions) => {
    const { node, show } = contextOf(parts, options)
    using stop = interruptible(parts)
    const call = { signal: stop.signal }
    const score = await (await node()).post<ScoreBody>('/v1/hardware/measure', undefined, call)
    await show(score, () => pairs(scorePairs(score)))
  })
}
