import type { OutputStream } from '../../../ports/sandbox.ts'
import type { GuestClock } from './clock.ts'
import type { FdTable } from './fd-table.ts'
import type { FileTree } from './file-tree.ts'
import type { GuestEnd } from './guest-end.ts'
import type { GuestMemory } from './guest-memory.ts'

/** What the WASI calls of one guest work on. */
export interface WasiHost {
  readonly memory: GuestMemory
  readonly tree: FileTree
  readonly fds: FdTable
  /** Strings as the guest gets them, without their closing NUL. */
  readonly args: readonly Uint8Array[]
  readonly env: readonly Uint8Array[]
  readonly clock: GuestClock
  /** Fills `bytes` with random ones. */
  readonly random: (bytes: Uint8Array) => void
  /** Takes output over at once; throws at the cap. */
  readonly print: (stream: OutputStream, bytes: Uint8Array) => void
  /** Names of the calls that were made and that no guest may make. */
  readonly refused: Set<string>
  /** Set by the first call that ends the guest; no call does anything after it. */
  ended: GuestEnd | undefined
}

/** One group of WASI calls: i32 come as unsigned numbers, i64 as they are, the answer is an error number. */
export type WasiCalls = Readonly<Record<string, (...args: never[]) => number>>
