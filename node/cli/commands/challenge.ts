import type { Command } from 'commander'
import type { ChallengeBody } from '../../api/schemas/measuring.ts'
import { formatBytes, formatDuration } from '../../domain/units.ts'
import { command, contextOf, interruptible, type CommonOptions, type SetExit } from '../command.ts'
import { pairs } from '../output/columns.ts'
import { rateText } from '../output/score-text.ts'
import type { Style } from '../output/style.ts'
import type { CliParts } from '../parts.ts'
import { peerNamed } from '../peer-name.ts'

/** Exit codes besides 0, the same as `hive verify` has for the same ends. */
const VERDICT_EXIT = { shown: 0, refuted: 3, less: 4 } as const

/** `hive challenge`: has a peer show what it claims. */
export function challengeCommand(parts: CliParts, setExit: SetExit): Command {
  return command({
    usage: 'challenge <peer>',
    description: 'Have a peer show the cores and memory that it claims, timed and checked here',
    examples: ['challenge 4arUdXFe', "challenge 4arUdXFe --json | jq '.coresShown'"],
  })
    .argument('<peer>', 'peer id or its end, or an address or its start, as `hive peers` shows')
    .action(async (name: string, options: CommonOptions) => {
      const { node, show, style } = contextOf(parts, options)
      using stop = interruptible(parts)
      const client = await node()
      const peer = await peerNamed(client, name, stop.signal)
      const path = `/v1/peers/${encodeURIComponent(peer)}/challenge`
      const report = await client.post<ChallengeBody>(path, undefined, { signal: stop.signal })
      setExit(VERDICT_EXIT[report.verdict])
      await show(report, () => lines(report, style))
    })
}

function lines(report: ChallengeBody, style: Style): string[] {
  const { claim, memory, verdict } = report
  const physical = claim.physicalCores === undefined ? '' : ` (${claim.physicalCores} physical)`
  const text = {
    shown: style.good('shown: the cores that were tried worked at once'),
    less: style.warn('less than claimed: fewer cores worked than were tried'),
    refuted: style.bad(`refuted: an answer breaks rule ${report.brokenRule ?? '?'}`),
  }[verdict]
  return pairs([
    ['verdict', text],
    ['claimed', `${claim.cores} cores${physical}, ${formatBytes(claim.memoryBytes)} memory`],
    ['cores', `${report.coresShown.toFixed(1)} worked, of ${report.lanes} tried`],
    ['hashing', `${rateText(report.hashBytesPerSecond)} on one core`],
    ['all cores', rateText(report.hashBytesPerSecondAllCores)],
    [
      'memory',
      memory === undefined
        ? undefined
        : `${formatBytes(memory.bytes)} filled at once in ${formatDuration(memory.tookMs)}`,
    ],
    ['network', `${rateText(report.networkBytesPerSecond)} from there to here`],
    ['round trip', formatDuration(report.roundTripMs)],
  ])
}
