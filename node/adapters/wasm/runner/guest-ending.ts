import { GuestEnd } from '../wasi/guest-end.ts'
import { PAGE_BYTES } from '../wasi/guest-memory.ts'
import type { GuestMeter } from './guest-meter.ts'
import type { GuestResult } from './messages.ts'

/** How a guest ended. */
export type Ending = Pick<GuestResult, 'reason' | 'exitCode' | 'detail'>

/** Exit code of a trap; as shells report an abort. */
const TRAP_EXIT = 134
/** A refused allocation leaves about this much of a full memory unused: at most 4 MiB, or an eighth. */
const nearLimit = (maxPages: number) => maxPages - Math.min(64, maxPages >> 3)

/** What ended a guest by being thrown through it. */
export function endingOf(error: unknown): Ending {
  if (error instanceof GuestEnd)
    return { reason: error.reason, exitCode: error.exitCode, detail: error.message }
  // A trap, a stack too deep, or an exception of the guest's own: the program crashed.
  const detail = error instanceof Error ? error.message : 'an exception that nothing caught'
  return { reason: 'exit', exitCode: TRAP_EXIT, detail: `trap: ${detail}` }
}

/** The ending as it is when what was counted is looked at too. */
export function meteredEnding(ending: Ending, meter: GuestMeter, deterministic: boolean): Ending {
  if (meter.exhausted) return failed('fuel', `it used its ${meter.used} units of fuel`)
  if (!trapped(ending)) return ending
  if (meter.tooDeep) return { ...ending, detail: 'trap: its calls are nested too deeply' }
  // The engine's own limit is another one on each machine.
  if (deterministic && ending.detail.includes(ENGINE_STACK_FULL))
    return failed('start-failed', 'its calls are nested more deeply than this machine can follow')
  return ending
}

/**
 * A trap for want of memory is `oom`. A metered guest tells whether its last growth was refused; of
 * any other only the guest itself knows, and a trap with the memory full is what that looks like.
 */
export function blamedOnMemory(
  ending: Ending,
  bytes: number,
  maxPages: number,
  meter: GuestMeter | undefined,
): Ending {
  const full = meter?.refused ?? bytes / PAGE_BYTES >= nearLimit(maxPages)
  if (!trapped(ending) || !full) return ending
  return failed('oom', `memory may grow to ${maxPages * PAGE_BYTES} bytes; ${ending.detail}`)
}

/** The ending of a program that failed, with the calls that were refused to it: they may be why. */
export function withRefused(ending: Ending, refused: ReadonlySet<string>): Ending {
  if (ending.reason !== 'exit' || ending.exitCode === 0 || refused.size === 0) return ending
  const said = `no module may call ${[...refused].join(', ')}`
  return { ...ending, detail: [ending.detail, said].filter((part) => part !== '').join('; ') }
}

/** How V8 says that the thread's own stack is full. */
const ENGINE_STACK_FULL = 'call stack size exceeded'

function trapped({ reason, detail }: Ending): boolean {
  return reason === 'exit' && detail !== ''
}

function failed(reason: Ending['reason'], detail: string): Ending {
  return { reason, exitCode: -1, detail }
}
