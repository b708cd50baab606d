import type { GpuBody, HardwareBody } from '../../api/schemas/hardware.ts'
import { formatBytes } from '../../domain/units.ts'
import { plain } from './plain-text.ts'
import { scoreLine } from './score-text.ts'

/** Accelerators in a few words, for one cell of a table; `-` where there are none. */
export function acceleratorsText({ gpus, fpgas = [], tpus = [] }: HardwareBody): string {
  return [...gpus, ...fpgas, ...tpus].map(counted).join(', ') || '-'
}

/** A machine as names and values; what it does not have is `undefined`. */
export function machinePairs(hardware: HardwareBody): (readonly [string, string | undefined])[] {
  const { cores, physicalCores, memoryBytes, diskBytes, diskTotalBytes } = hardware
  const { gpus, fpgas = [], tpus = [], tees = [], networkLinks = [] } = hardware
  const physical = physicalCores === undefined ? '' : ` (${physicalCores} physical)`
  const size = diskTotalBytes === undefined ? '' : ` of ${formatBytes(diskTotalBytes)}`
  return [
    [
      'machine',
      `${cores} cores${physical}, ${formatBytes(memoryBytes)} memory, ${plain(hardware.cpuModel)}`,
    ],
    ['disk', `${formatBytes(diskBytes)} free${size}`],
    ['measured', hardware.score === undefined ? undefined : scoreLine(hardware.score)],
    [
      'region',
      hardware.region === undefined ? undefined : `${plain(hardware.region)}, by its own word`,
    ],
    ['gpus', listed(gpus.map(gpuText))],
    ['fpgas', listed(fpgas.map(counted))],
    ['tpus', listed(tpus.map(counted))],
    ['claims', listed(tees.map(plain))],
    [
      'network',
      listed(
        networkLinks.map(({ kind, speedMbps, count }) =>
          counted({ model: speedMbps === undefined ? kind : `${kind} ${speedMbps} Mbit/s`, count }),
        ),
      ),
    ],
  ]
}

/** At most `maxChars`, so that nobody's text makes a table too wide to read. */
export function clipped(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 3)}...`
}

function gpuText(gpu: GpuBody): string {
  const { memoryBytes, driver } = gpu
  const details = [memoryBytes === undefined ? '' : formatBytes(memoryBytes), plain(driver ?? '')]
  const told = details.filter((detail) => detail !== '').join(', ')
  return told === '' ? counted(gpu) : `${counted(gpu)} (${told})`
}

function counted({ model, count }: { readonly model: string; readonly count: number }): string {
  return count === 1 ? plain(model) : `${count} x ${plain(model)}`
}

function listed(entries: readonly string[]): string | undefined {
  return entries.length === 0 ? undefined : entries.join('; ')
}
