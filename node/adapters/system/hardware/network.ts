import type { NetworkLink } from '../../../domain/devices.ts'
import { grouped } from './grouped.ts'
import type { KernelFiles } from './kernel-files.ts'

const INTERFACES = 'sys/class/net'
/** A host of many containers has hundreds, nearly all of them virtual. */
const MAX_INTERFACES = 1024
const MAX_GROUPS = 6
/** Ten times the fastest there is: beyond it a driver says "unknown" in its own way. */
const MAX_SPEED_MBPS = 10_000_000

/** Kinds by the kernel's number of the link layer (ARPHRD). */
const KINDS: Readonly<Record<number, string>> = { 1: 'ethernet', 32: 'infiniband' }

/** Interfaces with hardware behind them, by kind and speed: no names, no addresses. */
export async function readNetworkLinks(files: KernelFiles): Promise<readonly NetworkLink[]> {
  const names = await files.names(INTERFACES, MAX_INTERFACES)
  const links = await Promise.all(names.map(async (name) => linkAt(files, `${INTERFACES}/${name}`)))
  return grouped(
    links.filter((link) => link !== undefined),
    MAX_GROUPS,
    { kind: 'other' },
  )
}

async function linkAt(
  files: KernelFiles,
  at: string,
): Promise<Omit<NetworkLink, 'count'> | undefined> {
  if (!(await files.exists(`${at}/device`))) return undefined
  const [parent, isWifi, type, speed] = await Promise.all([
    files.link(`${at}/device/physfn`),
    files.exists(`${at}/phy80211`),
    files.number(`${at}/type`),
    files.number(`${at}/speed`),
  ])
  if (parent !== undefined) return undefined
  return {
    kind: isWifi ? 'wifi' : (KINDS[type ?? 0] ?? 'other'),
    ...(speed !== undefined && speed > 0 && speed <= MAX_SPEED_MBPS && { speedMbps: speed }),
  }
}
