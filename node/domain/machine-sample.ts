import type { Bytes32 } from './ids.ts'

/** What one graphics processor does. What its driver does not tell is absent. */
export interface GpuSample {
  readonly model: string
  /** 0 to 1. */
  readonly busy?: number
  readonly memoryUsedBytes?: number
  readonly temperatureC?: number
  readonly powerWatts?: number
}

/** A machine at one moment; rates are since the sample before. What it does not tell is absent. */
export interface MachineSample {
  /** Unix ms. */
  readonly at: number
  /** Of all processors together, 0 to 1. */
  readonly cpu?: number
  readonly memoryUsedBytes?: number
  readonly memoryTotalBytes?: number
  /** Of the file system under the data folder. */
  readonly diskFreeBytes?: number
  readonly diskReadBytesPerSecond?: number
  readonly diskWriteBytesPerSecond?: number
  readonly networkInBytesPerSecond?: number
  readonly networkOutBytesPerSecond?: number
  /** The hottest sensor of a processor. */
  readonly temperatureC?: number
  readonly gpus: readonly GpuSample[]
  /** Memory of the node's own process. */
  readonly nodeMemoryBytes: number
}

/** What a task under way has used so far. */
export interface TaskUse {
  readonly cpuMs: number
  /** Now, or at most so far where the kernel tells no other. */
  readonly memoryBytes: number
}

/** A task under way. */
export interface RunningTask {
  /** The sandbox knows it by this. */
  readonly id: string
  readonly agreement: Bytes32
  readonly index: number
  readonly kind: string
  /** Unix ms. */
  readonly startedAt: number
  /** What it may use. */
  readonly cpuMillis: number
  readonly memoryBytes: number
}

/** A task under way with what it uses; absent where its sandbox does not tell. */
export interface TaskSample extends RunningTask {
  readonly use?: TaskUse & {
    /** Processors that it used since the sample before; absent at its first. */
    readonly cores?: number
  }
}

/** What is kept of every moment, by name. Units are in the names; `cpu` and `gpu` are 0 to 1. */
export const SERIES = [
  'cpu',
  'memoryUsedBytes',
  'diskFreeBytes',
  'diskReadBytesPerSecond',
  'diskWriteBytesPerSecond',
  'networkInBytesPerSecond',
  'networkOutBytesPerSecond',
  'temperatureC',
  'gpu',
  'gpuMemoryUsedBytes',
  'nodeMemoryBytes',
  'tasks',
  'taskCores',
  'taskMemoryBytes',
] as const
export type SeriesName = (typeof SERIES)[number]

/** The values of one moment, in the order of {@link SERIES}; NaN for what is not known. */
export function seriesRow(machine: MachineSample, tasks: readonly TaskSample[]): number[] {
  const known = (values: readonly (number | undefined)[]) =>
    values.filter((value) => value !== undefined)
  const sum = (values: readonly number[]) =>
    values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0)
  const busy = known(machine.gpus.map((gpu) => gpu.busy))
  const row: Readonly<Record<SeriesName, number | undefined>> = {
    gpu: busy.length === 0 ? undefined : (sum(busy) ?? 0) / busy.length,
    gpuMemoryUsedBytes: sum(known(machine.gpus.map((gpu) => gpu.memoryUsedBytes))),
    cpu: machine.cpu,
    memoryUsedBytes: machine.memoryUsedBytes,
    diskFreeBytes: machine.diskFreeBytes,
    diskReadBytesPerSecond: machine.diskReadBytesPerSecond,
    diskWriteBytesPerSecond: machine.diskWriteBytesPerSecond,
    networkInBytesPerSecond: machine.networkInBytesPerSecond,
    networkOutBytesPerSecond: machine.networkOutBytesPerSecond,
    temperatureC: machine.temperatureC,
    nodeMemoryBytes: machine.nodeMemoryBytes,
    tasks: tasks.length,
    taskCores: sum(known(tasks.map(({ use }) => use?.cores))),
    taskMemoryBytes: sum(known(tasks.map(({ use }) => use?.memoryBytes))),
  }
  return SERIES.map((name) => row[name] ?? NaN)
}
