import type { KernelFiles } from './kernel-files.ts'
import { memoryInName, readNvidiaDriver } from './nvidia.ts'
import { askNvidiaSmi, type SmiCard } from './nvidia-smi.ts'
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
  if (cards.length === 0 && driver.cards.size === 0) return []
  const isDriven = driver.cards.size > 0 || cards.some((card) => card.driver === 'nvidia')
  const asked = isDriven ? await askNvidiaSmi(files, smiTimeoutMs) : new Map<string, SmiCard>()
  const version = ['nvidia', driver.version].filter(Boolean).join(' ')

  const onBus = cards
    // A container sees the whole bus, but its driver lists only the cards that were given to it.
    .filter(({ slot, driver: bound }) => bound !== 'nvidia' || isListed(driver.cards, slot))
    .map(async (card): Promise<OneGpu> => {
      const known = driver.cards.get(card.slot)
      const model = known?.model ?? (await names.nameOf(card)) ?? `10de:${card.device}`
      const isBound = card.driver === 'nvidia'
      const bound = isBound ? version : await driverOf(files, card)
      // Under another driver, such as one that hands it to a virtual machine, no container can have it.
      const told = { ...(isBound && known), ...asked.get(card.slot) }
      return gpu(model, bound, told)
    })
  const slots = new Set(cards.map(({ slot }) => slot))
  const offBus = [...driver.cards].flatMap(([slot, known]) =>
    known.model === undefined || slots.has(slot)
      ? []
      : gpu(known.model, version, { ...known, ...asked.get(slot) }),
  )
  return [...(await Promise.all(onBus)), ...offBus]
}

function isListed(known: ReadonlyMap<string, unknown>, slot: string): boolean {
  return known.size === 0 || known.has(slot)
}

function gpu(model: string, driver: string | undefined, told: SmiCard): OneGpu {
  const memoryBytes = told.memoryBytes ?? memoryInName(model)
  return {
    vendor: 'nvidia',
    model,
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(driver !== undefined && { driver }),
    ...(told.uuid !== undefined && { id: told.uuid }),
  }
}
