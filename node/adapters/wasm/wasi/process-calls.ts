import { randomFillSync } from 'node:crypto'
import { ERRNO } from './abi.ts'
import { CLOCK_RESOLUTION_NS, readClock } from './clock.ts'
import { GuestEnd } from './guest-end.ts'
import type { WasiCalls, WasiHost } from './host.ts'

/** Random bytes are made in pieces, because a native call cannot be interrupted by the wall-time kill. */
const RANDOM_PIECE_BYTES = 65_536
/** Exit code of a program that raises a signal, plus the signal; as shells have it. */
const SIGNAL_EXIT = 128

/** Clocks, randomness, and the ways to end; sockets, of which there are none. */
export function processCalls({ memory }: WasiHost): WasiCalls {
  const noSockets = () => ERRNO.notsup
  return {
    clock_res_get: (id: number, at: number) => {
      const resolution = CLOCK_RESOLUTION_NS[id]
      if (resolution === undefined) return ERRNO.inval
      memory.setU64(at, resolution)
      return ERRNO.success
    },
    clock_time_get: (id: number, _precision: bigint, at: number) => {
      const time = readClock(id)
      if (time === undefined) return ERRNO.inval
      memory.setU64(at, time)
      return ERRNO.success
    },
    random_get: (at: number, length: number) => {
      memory.slice(at, length)
      for (let done = 0; done < length; done += RANDOM_PIECE_BYTES)
        randomFillSync(memory.slice(at + done, Math.min(RANDOM_PIECE_BYTES, length - done)))
      return ERRNO.success
    },
    sched_yield: () => ERRNO.success,
    proc_exit: (code: number) => {
      throw new GuestEnd('exit', code & 0xff, '')
    },
    proc_raise: (signal: number) => {
      throw new GuestEnd('exit', (SIGNAL_EXIT + signal) & 0xff, '')
    },
    sock_accept: noSockets,
    sock_recv: noSockets,
    sock_send: noSockets,
    sock_shutdown: noSockets,
  }
}
