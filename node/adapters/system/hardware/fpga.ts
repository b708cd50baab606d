import type { Device } from '../../../domain/devices.ts'
import { deviceGroups } from './device-groups.ts'
import type { KernelFiles } from './kernel-files.ts'
import { firstOfEachCard, physicalOnes, type PciFunction } from './pci.ts'
import type { PciNames } from './pci-names.ts'

/** Makers of little else. */
const MAKERS: Readonly<Record<string, string>> = { '10ee': 'Xilinx', '1172': 'Altera' }
/** Single devices of makers of much else. */
const DEVICES: Readonly<Record<string, string>> = {
  '8086:09c4': 'Intel PAC Arria 10',
  '8086:09c5': 'Intel PAC Arria 10',
  '8086:0b30': 'Intel PAC N3000',
  '8086:0b2b': 'Intel PAC D5005',
  '8086:bcc0': 'Intel Xeon FPGA',
  '8086:bcc1': 'Intel Xeon FPGA',
  '1d0f:f010': 'AWS F1',
}
/** What a maker's chip is in a finished product: storage, network, sound and bridges are not for jobs. */
const FINISHED_PRODUCTS = [0x01, 0x02, 0x04, 0x06]

const MANAGERS = 'sys/class/fpga_manager'
const MAX_MANAGERS = 16

/** Programmable logic, on cards and beside the processor. */
export async function readFpgas(
  files: KernelFiles,
  pci: readonly PciFunction[],
  names: PciNames,
): Promise<readonly Device[]> {
  const cards = firstOfEachCard(await physicalOnes(files, pci.filter(isFpga)))
  const models = await Promise.all([
    ...cards.map(async (card) => cardModel(card, names)),
    ...(await files.names(MANAGERS, MAX_MANAGERS)).map(async (name) => managerModel(files, name)),
  ])
  return deviceGroups(models.filter((model) => model !== undefined))
}

function isFpga({ vendor, device, class: code }: PciFunction): boolean {
  if (DEVICES[`${vendor}:${device}`] !== undefined) return true
  return MAKERS[vendor] !== undefined && !FINISHED_PRODUCTS.includes(code >>> 8)
}

async function cardModel(card: PciFunction, names: PciNames): Promise<string> {
  const { vendor, device } = card
  const known = DEVICES[`${vendor}:${device}`]
  return known ?? `${MAKERS[vendor] ?? ''} ${(await names.nameOf(card)) ?? `${vendor}:${device}`}`
}

/** Logic that Linux itself can load; that on a PCI card was counted there. */
async function managerModel(files: KernelFiles, name: string): Promise<string | undefined> {
  const at = `${MANAGERS}/${name}`
  if (/\/pci[0-9a-f]{4}/.test((await files.link(at)) ?? '')) return undefined
  return (await files.text(`${at}/name`))?.trim() || 'FPGA'
}
