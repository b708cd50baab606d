import type { Command } from 'commander'
import type { PeerBody } from '../../api/schemas/node.ts'
import { short } from '../../domain/ids.ts'
import { formatBytes } from '../../domain/units.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { columns } from '../output/columns.ts'
import { acceleratorsText, clipped } from '../output/machine-text.ts'
import { plain } from '../output/plain-text.ts'
import type { CliParts } from '../parts.ts'

/** `hive peers`: who is there. */
export function peersCommand(parts: CliParts): Command {
  return command({
    usage: 'peers',
    description: 'List connected peers, or those in the DHT that meet a need',
    examples: [
      'peers',
      'peers --need kind=docker',
      "peers --need 'gpu.nvidia>=16GB, region=eu'",
      "peers --json | jq '.peers[].hardware'",
    ],
  })
    .option(
      '--need <terms>',
      'look in the DHT for machines that meet every term, with commas between',
    )
    .action(async (options: CommonOptions & { readonly need?: string }) => {
      const { node, show } = contextOf(parts, options)
      const query = options.need === undefined ? '' : `?need=${encodeURIComponent(options.need)}`
      const list = await (
        await node()
      ).get<{ readonly peers: readonly PeerBody[] }>(`/v1/peers${query}`)
      await show(list, () => lines(list.peers, options.need))
    })
}

/** Longest text of a stranger in one cell, characters. */
const MAX_CELL_CHARS = 40

function cell(text: string): string {
  return clipped(plain(text), MAX_CELL_CHARS)
}

function lines(peers: readonly PeerBody[], need?: string): string[] {
  if (peers.length === 0 && need !== undefined)
    return [`Nobody that was found meets ${need}. Ask for less, or look again in a moment.`]
  if (peers.length === 0)
    return ['Nobody is there. Check network.bootstrap in the config, or wait for a moment.']
  return columns(
    ['PEER', 'ADDRESS', 'KINDS', 'CORES', 'MEMORY', 'DEVICES', 'REGION', 'SANDBOXES', 'LATENCY'],
    peers.map(({ peer, address, kinds, hardware, latencyMs, connected }) => [
      short(peer),
      address,
      cell(kinds === undefined ? '?' : kinds.join(' ') || '-'),
      hardware === undefined ? '?' : String(hardware.cores),
      hardware === undefined ? '?' : formatBytes(hardware.memoryBytes),
      hardware === undefined ? '?' : cell(acceleratorsText(hardware)),
      cell(hardware?.region ?? '-'),
      cell(Object.values(hardware?.sandboxes ?? {}).join(', ')) || '-',
      latencyMs === undefined ? (connected ? '?' : 'not connected') : `${Math.round(latencyMs)} ms`,
    ]),
  )
}
