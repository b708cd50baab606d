import type { ChainJob } from '../domain/challenge.ts'
import type { CallOptions } from './requests.ts'

/** A process that stands ready to work hard. One call at a time. */
export interface EffortProcess extends AsyncDisposable {
  /** For each chain the states at the ends of its segments, one after the other. */
  chains(jobs: readonly ChainJob[], options: CallOptions): Promise<readonly Uint8Array[]>
  /** Fills memory from each salt, all at once, `bytes` for each; the tags that came of it. */
  fills(
    salts: readonly Uint8Array[],
    bytes: number,
    options: CallOptions,
  ): Promise<readonly Uint8Array[]>
}

/** Work that only costs: what challenges are made of. Never done in the node's own process. */
export interface Effort {
  /** Resolves when `lanes` chains can run at once. Throws BENCHMARK_FAILED, or the signal's reason. */
  open(lanes: number, options: CallOptions): Promise<EffortProcess>
}
