import { ERRNO } from './abi.ts'
import { CLOCK_RESOLUTION_NS } from './clock.ts'
import { GuestEnd } from './guest-end.ts'
import type { WasiCalls, WasiHost } from './host.ts'
import { refusedCalls } from './refused-calls.ts'

/** Exit code of a program that raises a signal, plus the signal; as shells have it. */
const SIGNAL_EXIT = 128

/** Clocks, randomness, and the ways to end; sockets, of which there are none. */
export function processCalls(host: WasiHost): WasiCalls {
  const { memory, clock, random } = host
  return {
    clock_res_get: (id: number, at: number) => {
      const resolution = CLOCK_RESOLUTION_NS[id]
      if (resolution === undefined) return ERRNO.inval
      memory.setU64(at, resolution)
      return ERRNO.success
    },
    clock_time_get: (id: number, _precision: bigint, at: number) => {
      const time = clock.read(id)
      if (time === undefined) return ERRNO.inval
      memory.setU64(at, time)
      return ERRNO.success
    },
    random_get: (at: number, length: number) => {
      random(memory.slice(at, length))
      return ERRNO.success
    },
    sched_yield: () => ERRNO.success,
    proc_exit: (code: number) => {
      throw new GuestEnd('exit', code & 0xff, '')
    },
    proc_raise: (signal: number) => {
      throw new GuestEnd('exit', (SIGNAL_EXIT + signal) & 0xff, '')
    },
    ...refusedCalls(host, ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown']),
  }
}
