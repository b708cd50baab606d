import type { Hardware } from '../domain/advert.ts'
import type { Resources } from '../domain/resources.ts'
import type { Quantity, ResourceShare } from './config.ts'

/** Share of memory and disk that jobs get when the operator names no figure: the rest is the machine's own. */
const DEFAULT_SHARE = 1 / 2

/** What jobs may use of this machine: as written, otherwise every core and half of memory and disk. */
export function providerResources(
  share: ResourceShare,
  hardware: Pick<Hardware, 'cores' | 'memoryBytes' | 'diskBytes'>,
): Resources {
  const { cores, memoryBytes, diskBytes } = hardware
  const half = { part: DEFAULT_SHARE }
  return {
    cpuMillis: Math.max(1, amountOf(share.cpuMillis ?? { part: 1 }, cores * 1000)),
    memoryBytes: amountOf(share.memoryBytes ?? half, memoryBytes),
    diskBytes: amountOf(share.diskBytes ?? half, diskBytes),
  }
}

function amountOf(quantity: Quantity, all: number): number {
  return typeof quantity === 'number' ? quantity : Math.floor(quantity.part * all)
}
