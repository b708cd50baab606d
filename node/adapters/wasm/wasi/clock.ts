import { CLOCK } from './abi.ts'

/** Resolution that `clock_res_get` admits to, ns. */
export const CLOCK_RESOLUTION_NS: Readonly<Record<number, bigint>> = {
  [CLOCK.realtime]: 1_000_000n,
  [CLOCK.monotonic]: 1000n,
  [CLOCK.process]: 1000n,
  [CLOCK.thread]: 1000n,
}

/** What a guest knows of time. */
export interface GuestClock {
  /** A clock of WASI, ns; `undefined` when there is no such clock. */
  read(id: number): bigint | undefined
  /** Lets this much time pass, ns. */
  sleep(ns: bigint): void
}

const NS_PER_MS = 1e6

/** The clocks of this machine. */
export class SystemClock implements GuestClock {
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4))

  read(id: number): bigint | undefined {
    switch (id) {
      case CLOCK.realtime:
        return BigInt(Date.now()) * 1_000_000n
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

  // The worker has nothing else to do; terminating it wakes this.
  sleep(ns: bigint): void {
    const until = process.hrtime.bigint() + ns
    for (let left = ns; left > 0n; left = until - process.hrtime.bigint())
      Atomics.wait(this.#sleeper, 0, 0, Number(left) / NS_PER_MS)
  }
}

/** Where the calendar stands when a deterministic task starts: 2000-01-01T00:00:00Z, ns since 1970. */
export const VIRTUAL_EPOCH_NS = 946_684_800_000_000_000n

/**
 * Time as a deterministic task sees it: a unit of fuel is a nanosecond, and a sleep is over at once
 * but counts as long as it was asked for.
 */
export class VirtualClock implements GuestClock {
  readonly #fuelUsed: () => bigint
  #slept = 0n

  constructor(fuelUsed: () => bigint) {
    this.#fuelUsed = fuelUsed
  }

  read(id: number): bigint | undefined {
    switch (id) {
      case CLOCK.realtime:
        return VIRTUAL_EPOCH_NS + this.#slept + this.#fuelUsed()
      case CLOCK.monotonic:
        return this.#slept + this.#fuelUsed()
      case CLOCK.process:
      case CLOCK.thread:
        return this.#fuelUsed()
      default:
        return undefined
    }
  }

  sleep(ns: bigint): void {
    this.#slept += ns
  }
}
