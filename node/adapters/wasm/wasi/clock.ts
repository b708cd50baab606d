import { CLOCK } from './abi.ts'
import { nowNs } from './tree-node.ts'

/** Resolution that `clock_res_get` admits to, ns. */
export const CLOCK_RESOLUTION_NS: Readonly<Record<number, bigint>> = {
  [CLOCK.realtime]: 1_000_000n,
  [CLOCK.monotonic]: 1000n,
  [CLOCK.process]: 1000n,
  [CLOCK.thread]: 1000n,
}

/** Reads a clock in nanoseconds; `undefined` when there is no such clock. */
export function readClock(id: number): bigint | undefined {
  switch (id) {
    case CLOCK.realtime:
      return nowNs()
    case CLOCK.monotonic:
      return process.hrtime.bigint()
    case CLOCK.process:
    case CLOCK.thread: {
      const { user, system } = process.threadCpuUsage()
      return BigInt(user + system) * 1000n
    }
    default:
      return undefined
  }
}
