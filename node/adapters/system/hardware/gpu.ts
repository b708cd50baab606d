import type { Gpu } from '../../../domain/devices.ts'
import { grouped } from './grouped.ts'
import type { KernelFiles } from './kernel-files.ts'
import { nvidiaGpus } from './nvidia-gpus.ts'
import type { OneGpu } from './one-gpu.ts'
import { otherGpu } from './other-gpu.ts'
import { physicalOnes, type PciFunction } from './pci.ts'
import type { PciNames } from './pci-names.ts'
import { printable } from './printable.ts'

/** NVIDIA, AMD, Intel: a server's console chip is no graphics processor that a job could use. */
const VENDORS = ['10de', '1002', '8086']
const DISPLAY = 0x03
/** AMD's Instinct cards call themselves this; so do FPGAs of other vendors. */
const PROCESSING_ACCELERATOR = 0x1200

/** Makes listed one by one. */
const MAX_GROUPS = 6
/** Longest name of a card, characters. */
const MAX_MODEL_CHARS = 64
const MAX_DRIVER_CHARS = 32

/** Graphics processors, one by one. `smiTimeoutMs` bounds the one question that no file answers. */
export async function readGpus(
  files: KernelFiles,
  pci: readonly PciFunction[],
  names: PciNames,
  smiTimeoutMs: number,
): Promise<readonly OneGpu[]> {
  const cards = await physicalOnes(files, pci.filter(isGpu))
  const [nvidia, others] = await Promise.all([
    nvidiaGpus(
      files,
      cards.filter(({ vendor }) => vendor === '10de'),
      names,
      smiTimeoutMs,
    ),
    Promise.all(
      cards
        .filter(({ vendor }) => vendor !== '10de')
        .map(async (card) => otherGpu(files, card, names)),
    ),
  ])
  return [...nvidia, ...others]
}

/** The same by make, as others are told. */
export function gpusByMake(cards: readonly OneGpu[]): readonly Gpu[] {
  const rest = { vendor: 'various', model: 'others' }
  return grouped(cards.map(bounded), MAX_GROUPS, rest)
}

function isGpu({ vendor, class: code }: PciFunction): boolean {
  if (vendor === '1002' && code === PROCESSING_ACCELERATOR) return true
  return code >>> 8 === DISPLAY && VENDORS.includes(vendor)
}

function bounded({ vendor, model, memoryBytes, driver }: OneGpu): Omit<Gpu, 'count'> {
  return {
    vendor,
    model: printable(model, MAX_MODEL_CHARS) || 'unknown',
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(driver !== undefined && { driver: printable(driver, MAX_DRIVER_CHARS) }),
  }
}
