import { execFile } from 'node:child_process'
import type { KernelFiles } from './kernel-files.ts'

/** Where the tool is installed; a search of PATH could find somebody else's. */
const PLACES = ['usr/bin/nvidia-smi', 'usr/local/bin/nvidia-smi']
const ARGS = ['--query-gpu=pci.bus_id,memory.total', '--format=csv,noheader,nounits']
const MAX_OUTPUT_BYTES = 16 * 1024
const MIB = 1024 * 1024

/** Memory of each NVIDIA card by slot, bytes; empty where the tool is missing, fails or is late. */
export async function nvidiaMemory(
  files: KernelFiles,
  timeoutMs: number,
): Promise<ReadonlyMap<string, number>> {
  for (const place of PLACES) {
    if (await files.exists(place)) return parse(await outputOf(files.path(place), timeoutMs))
  }
  return new Map()
}

async function outputOf(tool: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      tool,
      ARGS,
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

/** Lines such as `00000000:01:00.0, 81559`; the tool writes slots with more zeros than the kernel. */
function parse(output: string): ReadonlyMap<string, number> {
  const memory = new Map<string, number>()
  for (const line of output.split('\n')) {
    const match = /^0000([0-9A-F]{4}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-7]), (\d{1,8})$/i.exec(line.trim())
    if (match?.[1] !== undefined) memory.set(match[1].toLowerCase(), Number(match[2]) * MIB)
  }
  return memory
}
