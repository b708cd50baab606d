import { availableParallelism } from 'node:os'
import { createCapacityBenchmark } from '../../node/adapters/system/capacity-benchmark.ts'
import { createHardwareProbe } from '../../node/adapters/system/hardware-probe.ts'
import { figure, median, timedEach, type Figure } from './figures.ts'

const DETECTIONS = 15
const BENCHMARKS = 3

/** How long a node takes to learn what its machine has, and what that can do. */
export async function machineFigures(dir: string, signal: AbortSignal): Promise<Figure[]> {
  const detections = await timedEach(DETECTIONS, async () =>
    createHardwareProbe({ workDir: dir }).detect(),
  )
  const benchmark = createCapacityBenchmark({ dir, cores: availableParallelism() })
  const benchmarks = await timedEach(BENCHMARKS, async () => benchmark.measure({ signal }))
  return [
    figure('hardware detection, median', median(detections), 'ms', DETECTIONS),
    figure('capacity benchmark, median', median(benchmarks), 'ms', BENCHMARKS),
  ]
}
