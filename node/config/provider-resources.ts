import type { Hardware } from '../domain/advert.ts'
import { HiveError } from '../domain/errors.ts'
import type { Resources } from '../domain/resources.ts'
import { formatBytes } from '../domain/units.ts'
import type { Overcommit, Quantity, ResourceShare } from './config.ts'
import { CONFIG_DEFAULTS } from './defaults.ts'

/** Share of memory and disk that jobs get when the operator names no figure: the rest is the machine's own. */
const DEFAULT_SHARE = 1 / 2

/**
 * What jobs may use of this machine: as written, otherwise every core and half of memory and disk. Of the processor, as
 * many cores count as `overcommit` makes of those there are.
 * @throws HiveError CONFIG_INVALID for more than there is, with what to write instead
 */
export function providerResources(
  share: ResourceShare,
  hardware: Pick<Hardware, 'cores' | 'memoryBytes' | 'diskBytes' | 'diskTotalBytes'>,
  overcommit: Overcommit = CONFIG_DEFAULTS.provider.overcommit,
): Resources {
  // What is free of the disk comes and goes; its size stays.
  const { cores, memoryBytes, diskBytes, diskTotalBytes = diskBytes } = hardware
  const mostMillis = Math.floor(cores * 1000 * overcommit.cpu)
  const half = { part: DEFAULT_SHARE }
  const problems = [
    ...tooMuch('memory', share.memoryBytes, memoryBytes, formatBytes),
    ...tooMuch('disk', share.diskBytes, diskTotalBytes, formatBytes),
    ...tooMuch('cpu', share.cpuMillis, mostMillis, (millis) => `${millis / 1000} cores`).map(
      (problem) => `${problem}, or let jobs share cores by provider.overcommit.cpu`,
    ),
  ]
  if (problems.length > 0) throw new HiveError('CONFIG_INVALID', { problems })
  return {
    cpuMillis: Math.max(1, amountOf(share.cpuMillis ?? { part: 1 }, mostMillis)),
    memoryBytes: amountOf(share.memoryBytes ?? half, memoryBytes),
    diskBytes: amountOf(share.diskBytes ?? half, diskBytes),
  }
}

function tooMuch(
  field: string,
  asked: Quantity | undefined,
  most: number,
  format: (amount: number) => string,
): string[] {
  if (typeof asked !== 'number' || asked <= most) return []
  const [wanted, there] = [format(asked), format(most)]
  return [
    `provider.resources.${field}: ${wanted} of ${there}; write at most that, or a part such as 50%`,
  ]
}

function amountOf(quantity: Quantity, all: number): number {
  return typeof quantity === 'number' ? quantity : Math.floor(quantity.part * all)
}
