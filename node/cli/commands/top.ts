import type { Command } from 'commander'
import type { MomentBody } from '../../api/schemas/metrics.ts'
import { HiveError } from '../../domain/errors.ts'
import { short } from '../../domain/ids.ts'
import { formatBytes, formatDuration, parseDuration, second } from '../../domain/units.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { columns, pairs } from '../output/columns.ts'
import { plain } from '../output/plain-text.ts'
import { print, printJson } from '../output/printing.ts'
import { rateText } from '../output/score-text.ts'
import { counted } from '../output/words.ts'
import type { CliParts } from '../parts.ts'

/** Where a screen begins anew, and what of the last one is left over below. */
const [HOME, CLEAR_LINE, CLEAR_BELOW] = ['\u001B[H', '\u001B[K', '\u001B[J']
const CLEAR = '\u001B[2J'
/** Bounds of the time between two looks, ms. */
const [MIN_INTERVAL_MS, MAX_INTERVAL_MS] = [500, 60 * second]

/** `hive top`: the machine and its tasks, again and again. */
export function topCommand(parts: CliParts): Command {
  return command({
    usage: 'top',
    description: 'Watch the machine and the tasks that run on it, until interrupted',
    examples: ['top', 'top --once', "top --json | jq '.machine.cpu'"],
  })
    .option('--once', 'print it once; so it is without a terminal and with --json')
    .option('--every <duration>', 'time between two looks', '1s')
    .action(
      async (options: CommonOptions & { readonly once?: boolean; readonly every: string }) => {
        const { node, json } = contextOf(parts, options)
        const everyMs = parseDuration(options.every)
        if (everyMs === undefined || everyMs < MIN_INTERVAL_MS || everyMs > MAX_INTERVAL_MS)
          throw new HiveError('INPUT_INVALID', { problems: ['--every: from 500ms to 60s'] })
        const client = await node()
        const isLive = parts.stdout.isTTY === true && !json && options.once !== true
        using stop = interruptible(parts)
        const look = async () => client.get<MomentBody>('/v1/metrics', { signal: stop.signal })
        if (json) return printJson(parts.stdout, await look())
        if (!isLive)
          return print(parts.stdout, `${momentLines(await look(), parts.now()).join('\n')}\n`)
        await print(parts.stdout, CLEAR)
        while (!stop.signal.aborted) {
          const moment = await look()
          const lines = momentLines(moment, parts.now()).map((line) => line + CLEAR_LINE)
          await print(parts.stdout, `${HOME}${lines.join('\n')}\n${CLEAR_BELOW}`)
          await rest(everyMs, stop.signal)
        }
      },
    )
}

/** A moment as lines for people. */
function momentLines({ machine, tasks }: MomentBody, now: number): string[] {
  const { memoryUsedBytes, memoryTotalBytes, temperatureC } = machine
  const both = (one: number | undefined, two: number | undefined, of: readonly string[]) =>
    one === undefined || two === undefined
      ? undefined
      : `${rateText(one)} ${of[0]}, ${rateText(two)} ${of[1]}`
  const head = pairs([
    ['processors', percent(machine.cpu)],
    [
      'memory',
      memoryUsedBytes === undefined || memoryTotalBytes === undefined
        ? undefined
        : `${formatBytes(memoryUsedBytes)} of ${formatBytes(memoryTotalBytes)}`,
    ],
    [
      'disk',
      [
        machine.diskFreeBytes === undefined ? '' : `${formatBytes(machine.diskFreeBytes)} free`,
        both(machine.diskReadBytesPerSecond, machine.diskWriteBytesPerSecond, ['read', 'written']),
      ]
        .filter(Boolean)
        .join('; '),
    ],
    [
      'network',
      both(machine.networkInBytesPerSecond, machine.networkOutBytesPerSecond, ['in', 'out']),
    ],
    ['temperature', temperatureC === undefined ? undefined : `${Math.round(temperatureC)} C`],
    ...machine.gpus.map((gpu, at): [string, string] => [`gpu ${at}`, gpuText(gpu)]),
    ['node itself', formatBytes(machine.nodeMemoryBytes)],
  ])
  if (tasks.length === 0) return [...head, '', 'No task runs.']
  return [
    ...head,
    '',
    counted(tasks.length, 'task'),
    ...columns(
      ['SHARE', 'TASK', 'KIND', 'CORES', 'OF', 'MEMORY', 'OF', 'CPU TIME', 'RUNS FOR'],
      tasks.map(({ agreement, index, kind, use, cpuMillis, memoryBytes, startedAt }) => [
        short(agreement),
        String(index),
        plain(kind),
        use?.cores === undefined ? '?' : use.cores.toFixed(2),
        (cpuMillis / 1000).toFixed(2),
        use === undefined ? '?' : formatBytes(use.memoryBytes),
        formatBytes(memoryBytes),
        use === undefined ? '?' : formatDuration(use.cpuMs),
        formatDuration(Math.max(0, now - startedAt)),
      ]),
    ),
  ]
}

function gpuText(gpu: MomentBody['machine']['gpus'][number]): string {
  const parts = [
    percent(gpu.busy),
    gpu.memoryUsedBytes === undefined ? undefined : `${formatBytes(gpu.memoryUsedBytes)} used`,
    gpu.temperatureC === undefined ? undefined : `${Math.round(gpu.temperatureC)} C`,
    gpu.powerWatts === undefined ? undefined : `${Math.round(gpu.powerWatts)} W`,
    plain(gpu.model),
  ]
  return parts.filter(Boolean).join(', ')
}

function percent(share: number | undefined): string | undefined {
  return share === undefined ? undefined : `${Math.round(share * 100)} %`
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
    if (signal.aborted) resolve()
  })
}
