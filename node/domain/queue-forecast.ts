import { countFits, fits, plus, type Resources } from './resources.ts'

/** Tasks alike. Of those that run, `ms` is what is left; of others, what one of them is taken to run. */
export interface TaskLot {
  readonly need: Resources
  readonly count: number
  readonly ms: number
}

/** What a machine has free now, and what runs on it. */
export interface MachineLoad {
  readonly free: Resources
  readonly running: readonly TaskLot[]
}

/** From when on a machine has room for how many tasks of a kind at once. */
export interface Room {
  readonly etaMs: number
  readonly capacity: number
}

/**
 * Ms until the last task of each lot has started, where lots start in their order and none passes another; Infinity for
 * one that is too large for the machine. The list scheduling that {@link roomAfter} and {@link delaysNobody} rest on.
 */
export function startsOf(load: MachineLoad, lots: readonly TaskLot[]): number[] {
  const schedule = new Schedule(load)
  return lots.map((lot) => schedule.start(lot))
}

/**
 * The room that has all `lot` done soonest after everything that is `ahead`: a little at once, or more of it later.
 * `undefined` where the machine is too small for it. At most `most` tasks run at once.
 */
export function roomAfter(
  load: MachineLoad,
  ahead: readonly TaskLot[],
  lot: TaskLot,
  most: number,
): Room | undefined {
  const schedule = new Schedule(load)
  for (const each of ahead) schedule.start(each)
  const wanted = Math.min(most, lot.count)
  let best: Room | undefined
  let bestEnd = Infinity
  do {
    const capacity = Math.min(most, countFits(lot.need, schedule.free))
    const end = schedule.now + Math.ceil(lot.count / capacity) * lot.ms
    if (capacity > 0 && end < bestEnd) {
      best = { etaMs: schedule.now, capacity }
      bestEnd = end
    }
    if (capacity >= wanted) break
  } while (schedule.toNextEnd())
  return best
}

/** Ms until all tasks of a lot have ended that comes after those `ahead`; Infinity where the machine is too small. */
export function endAfter(load: MachineLoad, ahead: readonly TaskLot[], lot: TaskLot): number {
  const starts = startsOf(load, [...ahead, lot])
  return (starts.at(-1) ?? Infinity) + lot.ms
}

/** Whether `task`, started now, leaves every start of those `ahead` of it where it was forecast. */
export function delaysNobody(
  { free, running }: MachineLoad,
  ahead: readonly TaskLot[],
  task: Omit<TaskLot, 'count'>,
): boolean {
  const before = startsOf({ free, running }, ahead)
  const taken = { free: plus(free, task.need, -1), running: [...running, { ...task, count: 1 }] }
  return startsOf(taken, ahead).every((start, at) => start <= (before[at] ?? Infinity))
}

/** A machine's time ahead, from 0, now, on. */
class Schedule {
  now = 0
  free: Resources
  /** Everything, were nothing running. */
  readonly #all: Resources
  /** What is given back when, the soonest last. */
  readonly #ends: TaskLot[]

  constructor({ free, running }: MachineLoad) {
    this.free = free
    this.#all = running.reduce((sum, { need, count }) => plus(sum, need, count), free)
    this.#ends = running.toSorted((a, b) => b.ms - a.ms)
  }

  /** Starts a lot as room comes free. Returns when its last task has started. */
  start({ need, count, ms }: TaskLot): number {
    if (!fits(need, this.#all)) return Infinity
    for (let left = count; left > 0;) {
      const fit = Math.min(left, countFits(need, this.free))
      if (fit === 0) {
        if (!this.toNextEnd()) return Infinity
        continue
      }
      this.free = plus(this.free, need, -fit)
      this.#endAt({ need, count: fit, ms: this.now + ms })
      left -= fit
    }
    return this.now
  }

  /** Goes on to when something ends next; false when nothing runs any more. */
  toNextEnd(): boolean {
    const next = this.#ends.at(-1)
    if (next === undefined) return false
    this.now = Math.max(this.now, next.ms)
    for (let end = this.#ends.at(-1); end !== undefined && end.ms <= this.now;) {
      this.#ends.pop()
      this.free = plus(this.free, end.need, end.count)
      end = this.#ends.at(-1)
    }
    return true
  }

  #endAt(lot: TaskLot): void {
    let [low, high] = [0, this.#ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ends[middle]?.ms ?? 0) > lot.ms) low = middle + 1
      else high = middle
    }
    this.#ends.splice(low, 0, lot)
  }
}
