import { execFile } from 'node:child_process'
import type { KernelFiles } from './kernel-files.ts'

/** Where the tool is installed; a search of PATH could find somebody else's. */
const PLACES = ['usr/bin/nvidia-smi', 'usr/local/bin/nvidia-smi']
const ARGS = ['--query-gpu=pci.bus_id,memory.total,uuid', '--format=csv,noheader,nounits']
const MAX_OUTPUT_BYTES = 16 * 1024
const MIB = 1024 * 1024

/** What the tool tells of a card. */
export interface SmiCard {
  readonly memoryBytes?: number
  readonly uuid?: string
}

/** What NVIDIA's tool tells of each card, by slot; empty where the tool is missing, fails or is late. */
export async function askNvidiaSmi(
  files: KernelFiles,
  timeoutMs: number,
): Promise<ReadonlyMap<string, SmiCard>> {
  return parse(await runNvidiaSmi(files, ARGS, timeoutMs))
}

/** What NVIDIA's tool prints; empty where it is missing, fails or is late. */
export async function runNvidiaSmi(
  files: KernelFiles,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  for (const place of PLACES)
    if (await files.exists(place)) return outputOf(files.path(place), args, timeoutMs)
  return ''
}

async function outputOf(tool: string, args: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      tool,
      args,
      {
        // An abort answers at once even when a driver holds the tool where no signal reaches it.
        signal: AbortSignal.timeout(timeoutMs),
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      },
      (error, stdout) => {
        if (error !== null) child.unref()
        resolve(error === null ? stdout : '')
      },
    )
  })
}

/** Lines such as `00000000:01:00.0, 81559, GPU-…`; the tool writes slots with more zeros than the kernel. */
function parse(output: string): ReadonlyMap<string, SmiCard> {
  const cards = new Map<string, SmiCard>()
  for (const line of output.split('\n')) {
    const [slot = '', mebibytes = '', uuid = ''] = line.trim().split(', ')
    const short = /^0000([0-9A-F]{4}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-7])$/i.exec(slot)?.[1]
    if (short === undefined) continue
    cards.set(short.toLowerCase(), {
      ...(/^\d{1,8}$/.test(mebibytes) && { memoryBytes: Number(mebibytes) * MIB }),
      ...(/^GPU-[0-9a-f-]{36}$/.test(uuid) && { uuid }),
    })
  }
  return cards
}
