import { ERRNO } from './abi.ts'
import { fdCalls } from './fd-calls.ts'
import { GuestEnd } from './guest-end.ts'
import type { WasiCalls, WasiHost } from './host.ts'
import { pathCalls } from './path-calls.ts'
import { pollCalls } from './poll-calls.ts'
import { processCalls } from './process-calls.ts'
import { readdirCall } from './readdir-call.ts'
import { startCalls } from './start-calls.ts'
import { streamCalls } from './stream-calls.ts'

/** The whole of WASI preview 1 for one guest. A pointer outside its memory answers `fault`. */
export function wasiImports(host: WasiHost): WebAssembly.ModuleImports {
  const calls: WasiCalls = {
    ...startCalls(host),
    ...streamCalls(host),
    ...fdCalls(host),
    ...readdirCall(host),
    ...pathCalls(host),
    ...pollCalls(host),
    ...processCalls(host),
  }
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, guard(host, call)]))
}

function guard(host: WasiHost, call: (...args: never[]) => number): (...args: unknown[]) => number {
  return (...args) => {
    // A module with exception handling can catch what ends it, and call again.
    if (host.ended) throw host.ended
    for (const [at, arg] of args.entries()) if (typeof arg === 'number') args[at] = arg >>> 0
    try {
      return call(...(args as never[]))
    } catch (error) {
      if (error instanceof RangeError) return ERRNO.fault
      if (error instanceof GuestEnd) host.ended = error
      throw error
    }
  }
}
