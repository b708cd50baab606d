import type { FigureName } from '../../../domain/capacity.ts'
import type { ChainJob } from '../../../domain/challenge.ts'

/** What the node asks of its measuring process. One thing at a time. */
export type ToMeasuring =
  | { readonly type: 'benchmark'; readonly dir: string; readonly cores: number }
  | { readonly type: 'lanes'; readonly lanes: number }
  | { readonly type: 'chains'; readonly jobs: readonly ChainJob[] }
  | { readonly type: 'fills'; readonly salts: readonly Uint8Array[]; readonly bytes: number }

/** What it answers. Figures come as they are known, so that none is lost when it is ended. */
export type FromMeasuring =
  | { readonly type: 'figure'; readonly name: FigureName; readonly value: number }
  | { readonly type: 'done' }
  /** For each chain the states at the ends of its segments, one after the other. */
  | { readonly type: 'chains'; readonly states: readonly Uint8Array[] }
  | { readonly type: 'fills'; readonly tags: readonly Uint8Array[] }

/** What a thread is told to do. */
export type ToLane =
  | { readonly type: 'fuel'; readonly ms: number }
  | { readonly type: 'chain'; readonly job: ChainJob }

/** What a thread answers: fuel per second, or states. */
export type FromLane = 'ready' | number | Uint8Array
