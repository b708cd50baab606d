import type { LocalGpu } from './domain/gpu-share.ts'
import type { HardwareProbe } from './ports/hardware.ts'

/** The first of the machine's GPUs, as many as its operator gives; all where that is left open. */
export async function gpusForJobs(
  machine: HardwareProbe,
  most: number | undefined,
): Promise<readonly LocalGpu[]> {
  return (await machine.gpus()).slice(0, most)
}
