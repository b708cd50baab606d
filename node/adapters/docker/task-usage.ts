import type Docker from 'dockerode'
import type { CgroupMeter, Metered } from '../confinement/cgroup-meter.ts'
import { followStats, type StatsMeter } from './stats-meter.ts'

/** Counts one task: exactly by a control group of its own, or coarsely by the engine's figures. */
export interface TaskUsage extends AsyncDisposable {
  readonly cgroupParent: string | undefined
  /** To be called once the container runs. */
  follow(container: Docker.Container): Promise<void>
  /** To be called once it has ended. */
  read(): Promise<Metered>
}

/** The best counting that this machine allows. */
export function openUsage(cgroups: CgroupMeter | undefined, id: string): TaskUsage {
  if (cgroups !== undefined) {
    return {
      cgroupParent: cgroups.parentOf(id),
      follow: async () => undefined,
      read: () => cgroups.read(id),
      [Symbol.asyncDispose]: () => cgroups.remove(id),
    }
  }
  let stats: StatsMeter | undefined
  return {
    cgroupParent: undefined,
    follow: async (container) => {
      stats = await followStats(container)
    },
    read: async () => stats?.latest() ?? { cpuMs: 0, peakMemoryBytes: 0 },
    [Symbol.asyncDispose]: async () => {
      await stats?.[Symbol.asyncDispose]()
    },
  }
}
