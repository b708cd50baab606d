import type { GpuDevice } from '../../domain/gpu-need.ts'
import type { TaskLot } from '../../domain/queue-forecast.ts'
import { countFits, plus, type Resources } from '../../domain/resources.ts'
import { gpuNeedOf, type TaskNeed } from '../../domain/task-need.ts'
import type { GpuPool } from './gpu-pool.ts'

/** What a share's tasks ask of the machine. */
export interface ShareNeed {
  /** Whose shares belong together. */
  readonly job: string
  readonly need: TaskNeed
  readonly tasks: number
  /** What a task may run, ms; it is ended then. */
  readonly mostMs: number
  /** What a task is believed to run, as far as is known by now, ms. */
  readonly expectedMs: () => number
}

/** A share's place in the line. */
export interface Booked extends ShareNeed {
  /** Tasks that are not here yet: what they need is still on its way. */
  coming: number
  /** Each starts one of its tasks. */
  readonly waiting: ((running: Running) => void)[]
}

/** A task that has its room. */
export interface Running {
  readonly share: ShareNeed
  /** Unix ms. */
  readonly since: number
  readonly gpus: readonly GpuDevice[]
}

/** Tasks of one booked share that do not run yet. */
export type BookedLot = TaskLot & Pick<ShareNeed, 'need' | 'job'>

/** So many tasks of a share, at the pace that is expected of them. */
export function lotOf({ job, need, expectedMs }: ShareNeed, count: number): BookedLot {
  return { job, need, count, ms: expectedMs() }
}

/** What is booked and does not run yet, in turn. */
export function lotsOf(line: Iterable<Booked>): readonly BookedLot[] {
  return [...line]
    .map((each) => lotOf(each, each.coming + each.waiting.length))
    .filter(({ count }) => count > 0)
}

/** What is left of a task that runs: what was expected; one that takes longer is given twice as long, again and again. */
export function leftOf({ share, since }: Running, now: number): TaskLot {
  const ran = now - since
  let expected = Math.max(1, share.expectedMs())
  while (expected <= ran) expected *= 2
  // what has not ended by now has not given its room back
  return { need: share.need, count: 1, ms: Math.max(1, Math.min(expected, share.mostMs) - ran) }
}

/** How many tasks in line find no room in what is free, without those of a job. */
export function countWaiting(
  lots: readonly BookedLot[],
  { free, gpus }: { readonly free: Resources; readonly gpus: GpuPool },
  besides?: string,
): number {
  let left: Resources = free
  let isFull = false
  let count = 0
  for (const lot of lots) {
    const wanted = gpuNeedOf(lot.need)
    const places = wanted === undefined ? Infinity : gpus.room(wanted)
    // in turn: behind one that waits, all wait
    const fit: number = isFull ? 0 : Math.min(lot.count, places, countFits(lot.need, left))
    left = plus(left, lot.need, -fit)
    isFull ||= fit < lot.count
    if (lot.job !== besides) count += lot.count - fit
  }
  return count
}
