import { Type, type Static, type TArray, type TNumber, type TNull, type TUnion } from 'typebox'
import { SERIES, type SeriesName } from '../../domain/machine-sample.ts'
import { Bytes32Text, TimeMs } from './basics.ts'

const Figure = Type.Optional(Type.Number({ minimum: 0 }))

/** What a graphics processor does. */
const GpuUseBody = Type.Object({
  model: Type.String(),
  busy: Figure,
  memoryUsedBytes: Figure,
  temperatureC: Type.Optional(Type.Number()),
  powerWatts: Figure,
})

/** A task under way, what it may use and what it does use. */
const TaskUseBody = Type.Object({
  id: Type.String(),
  agreement: Bytes32Text,
  index: Type.Integer(),
  kind: Type.String(),
  startedAt: TimeMs,
  cpuMillis: Type.Integer(),
  memoryBytes: Type.Integer(),
  use: Type.Optional(
    Type.Object({ cpuMs: Type.Number(), memoryBytes: Type.Number(), cores: Figure }),
  ),
})

/** What the machine and its tasks do now. */
export const MomentBody = Type.Object({
  machine: Type.Object({
    at: TimeMs,
    cpu: Figure,
    memoryUsedBytes: Figure,
    memoryTotalBytes: Figure,
    diskFreeBytes: Figure,
    diskReadBytesPerSecond: Figure,
    diskWriteBytesPerSecond: Figure,
    networkInBytesPerSecond: Figure,
    networkOutBytesPerSecond: Figure,
    temperatureC: Type.Optional(Type.Number()),
    gpus: Type.Array(GpuUseBody),
    nodeMemoryBytes: Type.Number(),
  }),
  tasks: Type.Array(TaskUseBody),
})
export type MomentBody = Static<typeof MomentBody>

const Column = Type.Array(Type.Union([Type.Number(), Type.Null()]))

/** Series of the machine: `at[n]` is when stretch n began, each column's entry n its mean there. */
export const SeriesBody = Type.Object({
  stepMs: Type.Integer(),
  at: Type.Array(TimeMs),
  columns: Type.Object(
    Object.fromEntries(SERIES.map((name) => [name, Column])) as Record<
      SeriesName,
      TArray<TUnion<[TNumber, TNull]>>
    >,
  ),
})
export type SeriesBody = Static<typeof SeriesBody>

/** Series of one task. */
export const TaskSeriesBody = Type.Object({
  at: Type.Array(TimeMs),
  columns: Type.Object({ cores: Column, memoryBytes: Column }),
})
export type TaskSeriesBody = Static<typeof TaskSeriesBody>
