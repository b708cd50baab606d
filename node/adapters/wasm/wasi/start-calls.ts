import { ERRNO } from './abi.ts'
import type { WasiCalls, WasiHost } from './host.ts'

/** Arguments and environment. */
export function startCalls({ memory, args, env }: WasiHost): WasiCalls {
  const sizes = (strings: readonly Uint8Array[]) => (countAt: number, bytesAt: number) => {
    memory.setU32(countAt, strings.length)
    memory.setU32(
      bytesAt,
      strings.reduce((total, text) => total + text.byteLength + 1, 0),
    )
    return ERRNO.success
  }
  const copy = (strings: readonly Uint8Array[]) => (pointersAt: number, bytesAt: number) => {
    let at = bytesAt
    for (const [index, text] of strings.entries()) {
      memory.setU32(pointersAt + 4 * index, at)
      memory.slice(at, text.byteLength).set(text)
      memory.setU8(at + text.byteLength, 0)
      at += text.byteLength + 1
    }
    return ERRNO.success
  }
  return {
    args_sizes_get: sizes(args),
    args_get: copy(args),
    environ_sizes_get: sizes(env),
    environ_get: copy(env),
  }
}
