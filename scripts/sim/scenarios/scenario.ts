import type { Twist } from '../market/sim-node.ts'
import type { World } from '../market/world.ts'
import type { Randomness } from '../time/randomness.ts'

/** What a run is about. */
export interface RunPlan {
  readonly nodes: number
  readonly seed: number
  readonly jobs: number
  /** Time over which jobs are given, ms. */
  readonly spanMs: number
  /** Nodes 0 up to this give the jobs, and nothing happens to them. */
  readonly requesters: number
  /** How many times as long as usual tasks run. */
  readonly length: number
}

/** What happens to the network while jobs are given. */
export interface Scenario {
  readonly name: string
  /** Whether blocks are replaced. */
  readonly reorganises: boolean
  /** The run as it is to be for this scenario. Left out: as it was asked for. */
  fit?(plan: RunPlan): RunPlan
  /** What a node is twisted by; `undefined` for an honest one. */
  twist(at: number, plan: RunPlan): Twist | undefined
  /** Makes it happen; whatever it waits for is on the world's clock. */
  unfold(world: World, plan: RunPlan, random: Randomness): void
}
