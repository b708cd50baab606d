import { GPU_VENDORS, type GpuDevice, type GpuNeed } from './gpu-need.ts'

/** A GPU of this machine that jobs may have. */
export interface LocalGpu extends GpuDevice {
  /** Left out where the driver does not tell: then it suits no task that asks for memory. */
  readonly memoryBytes?: number
}

/** Such a GPU, and how many tasks have it now. */
export interface GpuUse {
  readonly device: LocalGpu
  readonly tasks: number
}

/** What each of `share` tasks on one GPU is promised of it: no more than its part of the memory. */
export function promisedOf(device: LocalGpu, share: number): LocalGpu {
  const { memoryBytes, ...rest } = device
  return { ...rest, ...(memoryBytes !== undefined && { memoryBytes: memoryBytes / share }) }
}

/**
 * Distinct GPUs of one maker for a task, when at most `share` tasks may have each; `undefined` when there are not
 * enough free. Those with the fewest tasks first, then those with the least memory that does, so that large ones stay
 * free for who needs them.
 */
export function chooseGpus(
  uses: readonly GpuUse[],
  need: GpuNeed,
  share: number,
): readonly LocalGpu[] | undefined {
  for (const suiting of byMaker(uses, need, share)) {
    const free = suiting.filter(({ tasks }) => tasks < share).toSorted(isBetter)
    if (free.length >= need.count) return free.slice(0, need.count).map(({ device }) => device)
  }
  return undefined
}

/** How many more tasks with this need the GPUs can take at once. */
export function countGpuTasks(uses: readonly GpuUse[], need: GpuNeed, share: number): number {
  return byMaker(uses, need, share).reduce((sum, suiting) => {
    const places = suiting.map(({ tasks }) => Math.max(0, share - tasks))
    return sum + countDealt(places, need.count)
  }, 0)
}

/** A program is written for the GPUs of one maker, so those of two are never mixed in a task. */
function byMaker(
  uses: readonly GpuUse[],
  { vendor, memoryBytes = 0 }: GpuNeed,
  share: number,
): readonly (readonly GpuUse[])[] {
  const makers = vendor === undefined ? GPU_VENDORS : [vendor]
  return makers.map((maker) =>
    uses.filter(
      ({ device }) =>
        device.vendor === maker && (promisedOf(device, share).memoryBytes ?? 0) >= memoryBytes,
    ),
  )
}

/** How often `count` different piles can each give one: the most n for which the piles, none counted beyond n, hold n of each. */
function countDealt(piles: readonly number[], count: number): number {
  const isEnough = (n: number) =>
    piles.reduce((sum, pile) => sum + Math.min(pile, n), 0) >= n * count
  let n = 0
  while (isEnough(n + 1)) n++
  return n
}

function isBetter(a: GpuUse, b: GpuUse): number {
  if (a.tasks !== b.tasks) return a.tasks - b.tasks
  return (a.device.memoryBytes ?? 0) - (b.device.memoryBytes ?? 0)
}
