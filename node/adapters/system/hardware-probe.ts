import { readdir, readFile, statfs } from 'node:fs/promises'
import { arch, availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { HardwareProbe } from '../../ports/hardware.ts'

/** Where to look. */
export interface HardwareProbeOptions {
  /** Folder whose file system jobs will use: its free space is the disk offered. */
  readonly workDir: string
  /** What stands for `/` when kernel files are read. @default `/` */
  readonly root?: string
}

/** Most graphics cards listed; an advert has room for no more. */
const MAX_GPUS = 16
/** Longest name of a processor or card, characters; an advert is bounded. */
const MAX_MODEL_CHARS = 80

/** Detects what this machine has. What cannot be read counts as absent. */
export function createHardwareProbe(options: HardwareProbeOptions): HardwareProbe {
  const { workDir, root = '/' } = options
  return {
    async detect() {
      const [diskBytes, gpus] = await Promise.all([freeBytes(workDir), nvidiaGpus(root)])
      return {
        cpuModel: clip(cpus()[0]?.model ?? 'unknown'),
        arch: arch(),
        cores: availableParallelism(),
        memoryBytes: totalmem(),
        diskBytes,
        gpus,
      }
    },
  }
}

async function freeBytes(dir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir)
    return bavail * bsize
  } catch {
    // no such folder: nothing can be stored in it, so nothing is offered
    return 0
  }
}

async function nvidiaGpus(root: string): Promise<readonly string[]> {
  const dir = join(root, 'proc/driver/nvidia/gpus')
  const cards = await readdir(dir).catch(() => [])
  const models = cards.slice(0, MAX_GPUS).map((card) => modelOf(join(dir, card, 'information')))
  return (await Promise.all(models)).filter((model) => model !== undefined)
}

async function modelOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const model = /^Model:\s*(\S.*)$/m.exec(text)?.[1]
  return model === undefined ? undefined : clip(model)
}

function clip(model: string): string {
  return model.trim().slice(0, MAX_MODEL_CHARS)
}
