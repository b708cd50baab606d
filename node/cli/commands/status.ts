import type { Command } from 'commander'
import type { StatusBody, VisibilityBody } from '../../api/schemas/node.ts'
import { ERROR_CODES } from '../../domain/error-codes.ts'
import { isErrorCode } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/units.ts'
import { command, contextOf, type CommonOptions } from '../command.ts'
import { pairs } from '../output/columns.ts'
import { machinePairs } from '../output/machine-text.ts'
import type { CliParts } from '../parts.ts'

/** `hive status`: this node. */
export function statusCommand(parts: CliParts): Command {
  return command({
    usage: 'status',
    description: 'Show the running node',
    examples: ['status', 'status --data ./provider --json'],
  }).action(async (options: CommonOptions) => {
    const { node, show } = contextOf(parts, options)
    const status = await (await node()).get<StatusBody>('/v1/status')
    await show(status, () => lines(status))
  })
}

/** What a further line of a value begins with. */
const NEXT = '\n           '

const REACHED: Readonly<Record<StatusBody['reachability'], string>> = {
  direct: 'at an address of its own',
  relayed: 'through relays',
  unknown: 'by nobody that it knows of: forward the port, or see docs/operations/network.md',
}

function carriesText(count: number): string {
  return `connections for ${count} ${count === 1 ? 'node' : 'nodes'} that others reach no other way`
}

function lines({ slots, hardware, ...node }: StatusBody): string[] {
  return pairs([
    ['peer', node.peer],
    ['address', node.address],
    ['network', node.network],
    [
      'chain',
      [`${node.chain.id}, escrow ${node.chain.escrow}`, ...faultText(node.chain)].join(NEXT),
    ],
    ['listening', node.addresses.join(NEXT)],
    ['reached', REACHED[node.reachability]],
    ['relays', node.relaying.via.length === 0 ? undefined : node.relaying.via.join(NEXT)],
    ['carries', node.relaying.carried === 0 ? undefined : carriesText(node.relaying.carried)],
    ['runs', node.kinds.length === 0 ? 'nothing for others' : node.kinds.join(', ')],
    ...machinePairs(hardware),
    [
      'in use',
      slots === undefined
        ? undefined
        : `${Math.round(slots.utilisation * 100)} %, ${slots.waiting} tasks waiting`,
    ],
    [
      'GPUs for jobs',
      slots?.total.gpus === undefined
        ? undefined
        : `${slots.free.gpus ?? 0} of ${slots.total.gpus} free`,
    ],
    ['paused', node.pausedBy === undefined ? undefined : `takes no new work now: ${node.pausedBy}`],
    ['seen', node.visibility === undefined ? undefined : seenText(node.visibility)],
    ['up for', formatDuration(node.uptimeMs)],
    [
      'drift',
      node.drift === 0 ? undefined : `${node.drift} differences from the chain were mended`,
    ],
  ])
}

/** Whether others see the node, and what to do where they do not. */
function seenText({ asked, listed, reached, faults }: VisibilityBody): string {
  if (faults.length === 0)
    return asked === 0
      ? 'no peer could be asked yet'
      : `${listed} of ${asked} peers find its advert, ${reached} could connect to it`
  return faults.flatMap(told).join(NEXT)
}

/** What is wrong with the chain, and what to do. */
function faultText({ fault }: StatusBody['chain']): string[] {
  return fault === undefined ? [] : told(fault)
}

function told(code: string): string[] {
  if (!isErrorCode(code)) return [code]
  const { what, remedy } = ERROR_CODES[code]
  return [`${code}: ${what}`, remedy]
}
