import type { Hardware } from './domain/advert.ts'
import { forJobsOf } from './domain/for-jobs.ts'
import type { Resources } from './domain/resources.ts'
import type { Sandbox } from './ports/sandbox.ts'
import { gpuPool, type GpusForJobs } from './services/provider/gpu-pool.ts'

/** What a node tells others of its machine. */
interface ToldParts {
  readonly detected: Omit<Hardware, 'sandboxes'>
  readonly sandboxes: readonly Sandbox[]
  /** Left open by its operator: nothing is told. */
  readonly region: string | undefined
  /** Whether requesters are let into their running tasks. */
  readonly attach: boolean
  /** What its jobs share. */
  readonly resources: Resources
  readonly gpus: GpusForJobs
}

/** The machine as others are told of it; what jobs may use only where there is a sandbox to run them. */
export function toldHardware(parts: ToldParts): Hardware {
  const { detected, sandboxes, region, attach, resources, gpus } = parts
  const isolations = sandboxes.map(({ kind, isolation }) => [kind, isolation])
  const { promised } = gpuPool(sandboxes, gpus)
  return {
    ...detected,
    sandboxes: Object.fromEntries(isolations),
    ...(region !== undefined && { region }),
    ...(sandboxes.length > 0 && { forJobs: forJobsOf(resources, promised), attach }),
  }
}
