import { CLOCK, ERRNO, EVENT } from './abi.ts'
import type { WasiCalls, WasiHost } from './host.ts'

/** Most subscriptions of one call; libc uses one a descriptor and one for the time-out. */
const MAX_SUBSCRIPTIONS = 2048
const SUBSCRIPTION_BYTES = 48
const EVENT_BYTES = 32
/** The time of a clock subscription is absolute. */
const ABSOLUTE = 1

interface Waiting {
  readonly userdata: bigint
  readonly tag: number
  readonly error: number
  /** How long until it is due, ns; 0 when it is due now. */
  readonly dueNs: bigint
}

/** Waiting. Files and streams are always ready, so only clocks ever sleep. */
export function pollCalls({ memory, fds, clock: time }: WasiHost): WasiCalls {
  function read(at: number): Waiting {
    const userdata = memory.u64(at)
    const tag = memory.u8(at + 8)
    const base = { userdata, tag, dueNs: 0n }
    if (tag === EVENT.read || tag === EVENT.write) {
      const known = fds.get(memory.u32(at + 16)) !== undefined
      return { ...base, error: known ? ERRNO.success : ERRNO.badf }
    }
    const clock = memory.u32(at + 16)
    const now = clock === CLOCK.realtime || clock === CLOCK.monotonic ? time.read(clock) : undefined
    if (tag !== EVENT.clock || now === undefined) return { ...base, error: ERRNO.inval }
    const timeout = memory.u64(at + 24)
    const absolute = (memory.u16(at + 40) & ABSOLUTE) !== 0
    const dueNs = absolute ? timeout - now : timeout
    return { ...base, error: ERRNO.success, dueNs: dueNs > 0n ? dueNs : 0n }
  }

  return {
    poll_oneoff: (inAt: number, outAt: number, count: number, countAt: number) => {
      if (count === 0 || count > MAX_SUBSCRIPTIONS) return ERRNO.inval
      const all = Array.from({ length: count }, (_, n) => read(inAt + n * SUBSCRIPTION_BYTES))
      const first = all.reduce((least, { dueNs }) => (dueNs < least ? dueNs : least), 1n << 64n)
      if (first > 0n) time.sleep(first)
      let at = outAt
      for (const { userdata, tag, error, dueNs } of all) {
        if (dueNs > first) continue
        memory.slice(at, EVENT_BYTES).fill(0)
        memory.setU64(at, userdata)
        memory.setU16(at + 8, error)
        memory.setU8(at + 10, tag)
        if (tag !== EVENT.clock) memory.setU64(at + 16, 1n)
        at += EVENT_BYTES
      }
      memory.setU32(countAt, (at - outAt) / EVENT_BYTES)
      return ERRNO.success
    },
  }
}
