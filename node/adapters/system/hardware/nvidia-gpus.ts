import type { KernelFiles } from './kernel-files.ts'
import { memoryInName, readNvidiaDriver } from './nvidia.ts'
import { nvidiaMemory } from './nvidia-smi.ts'
import type { OneGpu } from './one-gpu.ts'
import type { PciFunction } from './pci.ts'
import { driverOf } from './pci-driver.ts'
import type { PciNames } from './pci-names.ts'

/** NVIDIA's cards: those on the bus, and those that the driver has where the bus is hidden. */
export async function nvidiaGpus(
  files: KernelFiles,
  cards: readonly PciFunction[],
  names: PciNames,
  smiTimeoutMs: number,
): Promise<readonly OneGpu[]> {
  const driver = await readNvidiaDriver(files)
  if (cards.length === 0 && driver.models.size === 0) return []
  const isDriven = driver.models.size > 0 || cards.some((card) => card.driver === 'nvidia')
  const memory = isDriven ? await nvidiaMemory(files, smiTimeoutMs) : new Map<string, number>()
  const version = ['nvidia', driver.version].filter(Boolean).join(' ')

  const onBus = cards
    // A container sees the whole bus, but its driver lists only the cards that were given to it.
    .filter(({ slot, driver: bound }) => bound !== 'nvidia' || isListed(driver.models, slot))
    .map(async (card): Promise<OneGpu> => {
      const model =
        driver.models.get(card.slot) ?? (await names.nameOf(card)) ?? `10de:${card.device}`
      const bound = card.driver === 'nvidia' ? version : await driverOf(files, card)
      return gpu(model, bound, memory.get(card.slot))
    })
  const slots = new Set(cards.map(({ slot }) => slot))
  const offBus = [...driver.models].flatMap(([slot, model]) =>
    model === undefined || slots.has(slot) ? [] : gpu(model, version, memory.get(slot)),
  )
  return [...(await Promise.all(onBus)), ...offBus]
}

function isListed(models: ReadonlyMap<string, unknown>, slot: string): boolean {
  return models.size === 0 || models.has(slot)
}

function gpu(model: string, driver: string | undefined, measured: number | undefined): OneGpu {
  const memoryBytes = measured ?? memoryInName(model)
  return {
    vendor: 'nvidia',
    model,
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(driver !== undefined && { driver }),
  }
}
