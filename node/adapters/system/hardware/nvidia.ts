import type { KernelFiles } from './kernel-files.ts'

/** What NVIDIA's own driver tells in /proc. */
export interface NvidiaDriver {
  /** Model by slot; `undefined` where the driver lists a card without telling its model. */
  readonly models: ReadonlyMap<string, string | undefined>
  readonly version?: string
}

const HOME = 'proc/driver/nvidia'
/** More cards than any machine has. */
const MAX_CARDS = 64

/** Cards that the driver has, and its version. Empty without the driver. */
export async function readNvidiaDriver(files: KernelFiles): Promise<NvidiaDriver> {
  const [slots, text] = await Promise.all([
    files.names(`${HOME}/gpus`, MAX_CARDS),
    files.text(`${HOME}/version`),
  ])
  const models = await Promise.all(slots.map(async (slot) => modelAt(files, slot)))
  const version = /Kernel Module.*?\s(\d{2,4}(?:\.\d{1,4}){1,2})\s/.exec(text ?? '')?.[1]
  return {
    models: new Map(slots.map((slot, at) => [slot.toLowerCase(), models[at]])),
    ...(version !== undefined && { version }),
  }
}

/** The size that data centre cards carry in their name, bytes; decimal, so as never to promise too much. */
export function memoryInName(model: string): number | undefined {
  const gigabytes = /\b(\d{1,4}) ?GB\b/.exec(model)?.[1]
  return gigabytes === undefined ? undefined : Number(gigabytes) * 1e9
}

async function modelAt(files: KernelFiles, slot: string): Promise<string | undefined> {
  const text = await files.text(`${HOME}/gpus/${slot}/information`)
  return /^Model:\s*(\S.*)$/m.exec(text ?? '')?.[1]
}
