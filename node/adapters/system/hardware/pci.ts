import { basename } from 'node:path'
import type { KernelFiles } from './kernel-files.ts'

/** One function of a device on the PCI bus. */
export interface PciFunction {
  /** Such as `0000:01:00.0`. */
  readonly slot: string
  /** Four hexadecimal digits, lower case. */
  readonly vendor: string
  /** Four hexadecimal digits, lower case. */
  readonly device: string
  /** Base class and subclass, 16 bits: `0x0302` is a 3D controller. */
  readonly class: number
  /** Kernel driver bound to it. */
  readonly driver?: string
}

/** Where the kernel lists the functions. */
export const PCI_DEVICES = 'sys/bus/pci/devices'

/** A large server has some five hundred; virtual functions can be thousands. */
const MAX_FUNCTIONS = 2048

/** Every function on the bus; none on a machine without one. */
export async function readPci(files: KernelFiles): Promise<readonly PciFunction[]> {
  const slots = (await files.names(PCI_DEVICES, MAX_FUNCTIONS)).filter((name) =>
    /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(name),
  )
  const functions = await Promise.all(slots.map(async (slot) => functionAt(files, slot)))
  return functions.filter((each) => each !== undefined)
}

/** Without the parts that a card shows to virtual machines: they are the same silicon once more. */
export async function physicalOnes(
  files: KernelFiles,
  functions: readonly PciFunction[],
): Promise<readonly PciFunction[]> {
  const parents = await Promise.all(
    functions.map(async ({ slot }) => files.link(`${PCI_DEVICES}/${slot}/physfn`)),
  )
  return functions.filter((_, at) => parents[at] === undefined)
}

/** One function of each card. */
export function firstOfEachCard(functions: readonly PciFunction[]): readonly PciFunction[] {
  const cards = new Map<string, PciFunction>()
  for (const each of functions) {
    const card = each.slot.replace(/\.\d$/, '')
    if (!cards.has(card)) cards.set(card, each)
  }
  return [...cards.values()]
}

/** One file tells it all; where that is hidden the single attributes are asked. */
async function functionAt(files: KernelFiles, slot: string): Promise<PciFunction | undefined> {
  const at = `${PCI_DEVICES}/${slot}`
  const event = (await files.text(`${at}/uevent`)) ?? ''
  const ids = /^PCI_ID=([0-9A-F]{4}):([0-9A-F]{4})$/im.exec(event)
  const code = /^PCI_CLASS=([0-9A-F]{1,6})$/im.exec(event)?.[1]
  if (ids === null || code === undefined) return functionFrom(files, slot)
  const driver = /^DRIVER=([\w.-]{1,32})$/m.exec(event)?.[1]
  return made(slot, ids[1] ?? '', ids[2] ?? '', code, driver)
}

async function functionFrom(files: KernelFiles, slot: string): Promise<PciFunction | undefined> {
  const at = `${PCI_DEVICES}/${slot}`
  const hex = async (name: string) =>
    /^0x([0-9a-f]{4,6})\s*$/i.exec((await files.text(`${at}/${name}`)) ?? '')?.[1]
  const [vendor, device, code] = await Promise.all([hex('vendor'), hex('device'), hex('class')])
  if (vendor === undefined || device === undefined || code === undefined) return undefined
  const driver = basename((await files.link(`${at}/driver`)) ?? '')
  return made(slot, vendor, device, code, /^[\w.-]{1,32}$/.exec(driver)?.[0])
}

function made(
  slot: string,
  vendor: string,
  device: string,
  code: string,
  driver: string | undefined,
): PciFunction {
  return {
    slot,
    vendor: vendor.toLowerCase(),
    device: device.toLowerCase(),
    class: Number.parseInt(code, 16) >>> 8,
    ...(driver !== undefined && { driver }),
  }
}
