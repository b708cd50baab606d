import type { Hardware } from '../domain/advert.ts'
import type { Resources } from '../domain/resources.ts'
import type { ResourceShare } from './config.ts'

/** Share of memory and disk that jobs get when the operator names no figure: the rest is the machine's own. */
const DEFAULT_SHARE = 1 / 2

/** What jobs may use of this machine: as written, otherwise every core and half of memory and disk. */
export function providerResources(
  share: ResourceShare,
  hardware: Pick<Hardware, 'cores' | 'memoryBytes' | 'diskBytes'>,
): Resources {
  return {
    cpuMillis: share.cpuMillis ?? hardware.cores * 1000,
    memoryBytes: share.memoryBytes ?? Math.floor(hardware.memoryBytes * DEFAULT_SHARE),
    diskBytes: share.diskBytes ?? Math.floor(hardware.diskBytes * DEFAULT_SHARE),
  }
}
