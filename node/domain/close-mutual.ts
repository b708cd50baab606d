import type { Bytes32 } from './ids.ts'
import type { Amount } from './money.ts'

/** What both sides sign to end a channel at once, with this much paid in all. */
export interface CloseMutual {
  readonly channel: Bytes32
  readonly finalSettled: Amount
  /** Unix seconds, the last moment at which it counts. */
  readonly deadline: number
}
