/** What one task needs, or what a machine has free. */
export interface Resources {
  /** Thousandths of a core. */
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Whole GPUs; left out: none. */
  readonly gpus?: number
}

/** Nothing at all; the start of a sum. */
export const NO_RESOURCES: Resources = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0 }

/** Whether one `need` fits into `free`. */
export function fits(need: Resources, free: Resources): boolean {
  return (
    need.cpuMillis <= free.cpuMillis &&
    need.memoryBytes <= free.memoryBytes &&
    need.diskBytes <= free.diskBytes &&
    (need.gpus ?? 0) <= (free.gpus ?? 0)
  )
}

/** How many times `need` fits into `free` at once. */
export function countFits(need: Resources, free: Resources): number {
  const per = (have: number, want: number) => (want <= 0 ? Infinity : Math.floor(have / want))
  const count = Math.min(
    per(free.cpuMillis, need.cpuMillis),
    per(free.memoryBytes, need.memoryBytes),
    per(free.diskBytes, need.diskBytes),
    per(free.gpus ?? 0, need.gpus ?? 0),
  )
  return Number.isFinite(count) ? Math.max(0, count) : 0
}

/** `a + n·b`, in every dimension; `n` may be negative. */
export function plus(a: Resources, b: Resources, n = 1): Resources {
  return {
    cpuMillis: a.cpuMillis + n * b.cpuMillis,
    memoryBytes: a.memoryBytes + n * b.memoryBytes,
    diskBytes: a.diskBytes + n * b.diskBytes,
    ...(a.gpus === undefined && b.gpus === undefined
      ? {}
      : { gpus: (a.gpus ?? 0) + n * (b.gpus ?? 0) }),
  }
}
