import type { KernelFiles } from './kernel-files.ts'

/** A card, as far as the driver tells. */
export interface NvidiaCard {
  readonly model?: string
  readonly uuid?: string
}

/** What NVIDIA's own driver tells in /proc. */
export interface NvidiaDriver {
  /** By slot. */
  readonly cards: ReadonlyMap<string, NvidiaCard>
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
  const cards = await Promise.all(slots.map(async (slot) => cardAt(files, slot)))
  const version = /Kernel Module.*?\s(\d{2,4}(?:\.\d{1,4}){1,2})\s/.exec(text ?? '')?.[1]
  return {
    cards: new Map(slots.map((slot, at) => [slot.toLowerCase(), cards[at] ?? {}])),
    ...(version !== undefined && { version }),
  }
}

/** The size that data centre cards carry in their name, bytes; decimal, so as never to promise too much. */
export function memoryInName(model: string): number | undefined {
  const gigabytes = /\b(\d{1,4}) ?GB\b/.exec(model)?.[1]
  return gigabytes === undefined ? undefined : Number(gigabytes) * 1e9
}

async function cardAt(files: KernelFiles, slot: string): Promise<NvidiaCard> {
  const text = (await files.text(`${HOME}/gpus/${slot}/information`)) ?? ''
  const model = /^Model:\s*(\S.*)$/m.exec(text)?.[1]
  // question marks until the card has been used once
  const uuid = /^GPU UUID:\s*(GPU-[0-9a-f-]{36})\s*$/m.exec(text)?.[1]
  return { ...(model !== undefined && { model }), ...(uuid !== undefined && { uuid }) }
}
