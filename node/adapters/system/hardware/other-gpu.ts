import type { KernelFiles } from './kernel-files.ts'
import type { OneGpu } from './one-gpu.ts'
import { PCI_DEVICES, type PciFunction } from './pci.ts'
import { driverOf } from './pci-driver.ts'
import type { PciNames } from './pci-names.ts'

/** A graphics processor of AMD or Intel, whose drivers tell everything in sysfs. */
export async function otherGpu(
  files: KernelFiles,
  card: PciFunction,
  names: PciNames,
): Promise<OneGpu> {
  const at = `${PCI_DEVICES}/${card.slot}`
  const isAmd = card.vendor === '1002'
  const [product, memoryBytes, driver, id] = await Promise.all([
    files.text(`${at}/product_name`),
    isAmd ? files.number(`${at}/mem_info_vram_total`) : intelMemory(files, at),
    driverOf(files, card),
    isAmd ? renderNode(files, at) : undefined,
  ])
  const model = product?.trim() || (await names.nameOf(card)) || `${card.vendor}:${card.device}`
  return {
    vendor: isAmd ? 'amd' : 'intel',
    model,
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(driver !== undefined && { driver }),
    ...(id !== undefined && { id }),
  }
}

/** Where AMD's cards are reached for computing; `undefined` where that part of the driver is missing. */
async function renderNode(files: KernelFiles, at: string): Promise<string | undefined> {
  const name = (await files.names(`${at}/drm`, 8)).find((each) => /^renderD\d{1,4}$/.test(each))
  if (name === undefined || !(await files.exists('dev/kfd'))) return undefined
  return (await files.exists(`dev/dri/${name}`)) ? `/dev/dri/${name}` : undefined
}

/** Intel's cards with memory of their own tell its size beside the display; the built-in ones share. */
async function intelMemory(files: KernelFiles, at: string): Promise<number | undefined> {
  const display = (await files.names(`${at}/drm`, 8)).find((name) => /^card\d+$/.test(name))
  return display === undefined ? undefined : files.number(`${at}/drm/${display}/lmem_total_bytes`)
}
