import { ERRNO } from './abi.ts'
import type { WasiCalls, WasiHost } from './host.ts'

/** Calls that answer `notsup`, and are remembered: a program seldom says what it failed of. */
export function refusedCalls(
  { refused }: Pick<WasiHost, 'refused'>,
  names: readonly string[],
): WasiCalls {
  return Object.fromEntries(
    names.map((name) => [
      name,
      () => {
        refused.add(name)
        return ERRNO.notsup
      },
    ]),
  )
}
