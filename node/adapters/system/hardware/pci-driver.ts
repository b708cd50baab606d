import type { KernelFiles } from './kernel-files.ts'
import type { PciFunction } from './pci.ts'

/** The driver and, where its module has one, its version. */
export async function driverOf(
  files: KernelFiles,
  { driver }: PciFunction,
): Promise<string | undefined> {
  if (driver === undefined) return undefined
  const version = await files.text(`sys/module/${driver.replaceAll('-', '_')}/version`)
  return [driver, version?.trim()].filter(Boolean).join(' ')
}
