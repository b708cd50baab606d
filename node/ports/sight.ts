import type { PeerId } from '../domain/ids.ts'
import type { CallOptions } from './requests.ts'

/** How this node and others are to be seen from each other. */
export interface Sight {
  /** Of the others that listen on a topic, those that pass its messages on to this node. */
  neighbours(topic: string): number
  /**
   * Whether a connected peer takes another connection at an address that it announces. Only addresses at the host that it
   * is connected from are tried, so that nobody has this node knock at others' doors; `undefined` when it has none.
   */
  reaches(peer: PeerId, options: CallOptions): Promise<boolean | undefined>
}
