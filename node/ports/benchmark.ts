import type { Score } from '../domain/capacity.ts'
import type { CallOptions } from './requests.ts'

/** Measures what this machine can do. */
export interface Benchmark {
  /**
   * Takes less than 3 s of the whole machine, in a process of its own, and leaves out what there
   * was no time for. Throws BENCHMARK_FAILED, or the signal's reason.
   */
  measure(options: CallOptions): Promise<Score>
}
