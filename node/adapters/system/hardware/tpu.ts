import type { Device } from '../../../domain/devices.ts'
import { deviceGroups } from './device-groups.ts'
import type { KernelFiles } from './kernel-files.ts'
import { firstOfEachCard, physicalOnes, type PciFunction } from './pci.ts'

/** Source: Google's device ids, as its own machine learning libraries look for them. */
const CARDS: Readonly<Record<string, string>> = {
  '1ac1:089a': 'Coral Edge TPU (PCIe)',
  '1ae0:0027': 'Cloud TPU v2 or v3',
  '1ae0:0056': 'Cloud TPU',
  '1ae0:005e': 'Cloud TPU v4',
  '1ae0:0062': 'Cloud TPU v5p',
  '1ae0:0063': 'Cloud TPU v5e',
  '1ae0:006f': 'Cloud TPU v6e',
  '1ae0:0076': 'Cloud TPU v7',
}
/** The stick has another id before its firmware is loaded. */
const CORAL_USB = ['1a6e:089a', '18d1:9302']

const USB_DEVICES = 'sys/bus/usb/devices'
/** Two controllers full of hubs; interfaces are listed among the devices. */
const MAX_USB_ENTRIES = 1024

/** Tensor processors on the bus and on USB. */
export async function readTpus(
  files: KernelFiles,
  pci: readonly PciFunction[],
): Promise<readonly Device[]> {
  const known = pci.filter(({ vendor, device }) => CARDS[`${vendor}:${device}`] !== undefined)
  const cards = firstOfEachCard(await physicalOnes(files, known))
  const models = cards.map(({ vendor, device }) => CARDS[`${vendor}:${device}`] ?? '')
  return deviceGroups([...models, ...(await coralSticks(files))])
}

async function coralSticks(files: KernelFiles): Promise<readonly string[]> {
  // A name with a colon is an interface of a device.
  const devices = (await files.names(USB_DEVICES, MAX_USB_ENTRIES)).filter(
    (name) => !name.includes(':'),
  )
  const ids = await Promise.all(
    devices.map(async (name) => {
      const at = `${USB_DEVICES}/${name}`
      const parts = [files.text(`${at}/idVendor`), files.text(`${at}/idProduct`)]
      return (await Promise.all(parts)).map((part) => part?.trim().toLowerCase()).join(':')
    }),
  )
  return ids.filter((id) => CORAL_USB.includes(id)).map(() => 'Coral Edge TPU (USB)')
}
