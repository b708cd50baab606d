import { Type, type Static, type TOptional, type TNumber } from 'typebox'
import { FIGURES, type FigureName } from '../../domain/capacity.ts'
import { MAX_REGION_CHARS, REGION_PATTERN } from '../../domain/region.ts'

/** Characters that neither steer a terminal nor need a wide one. */
const PRINTABLE = '^[ -~]*$'
/** Most entries of any list; a node sends fewer. */
const MAX_ENTRIES = 32
/** More of anything than one machine has. */
const MAX_COUNT = 100_000
/** Ten times the fastest network interface. */
const MAX_SPEED_MBPS = 10_000_000

const Text = (maxLength: number) => Type.String({ maxLength, pattern: PRINTABLE })
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Count = Type.Integer({ minimum: 0, maximum: MAX_COUNT })
const Speed = Type.Integer({ minimum: 0, maximum: MAX_SPEED_MBPS })
const DeviceBody = Type.Object({ model: Text(80), count: Count })

/** Graphics processors of one make. */
export const GpuBody = Type.Object({
  vendor: Text(16),
  model: Text(80),
  memoryBytes: Type.Optional(Bytes),
  driver: Type.Optional(Text(40)),
  count: Count,
})
export type GpuBody = Static<typeof GpuBody>

/** What of a machine its operator gives to jobs. */
const ForJobsBody = Type.Object({
  cpuMillis: Bytes,
  memoryBytes: Bytes,
  diskBytes: Bytes,
  gpus: Type.Array(
    Type.Object({ vendor: Text(16), memoryBytes: Type.Optional(Bytes), count: Count }),
    { maxItems: MAX_ENTRIES },
  ),
})

const Figure = Type.Optional(Type.Number({ minimum: 0, maximum: 1e18 }))

/** What a machine was measured to do. */
export const ScoreBody = Type.Object({
  measuredAt: Bytes,
  cores: Count,
  ...(Object.fromEntries(FIGURES.map((name) => [name, Figure])) as Record<
    FigureName,
    TOptional<TNumber>
  >),
})
export type ScoreBody = Static<typeof ScoreBody>

/**
 * A machine, as its own node detected it. Every bound holds for this node's own as well as for a stranger's:
 * what does not fit is not shown.
 */
export const HardwareBody = Type.Object({
  cpuModel: Text(80),
  arch: Text(16),
  cores: Count,
  physicalCores: Type.Optional(Count),
  cpuFlags: Type.Optional(Type.Array(Text(24), { maxItems: 64 })),
  memoryBytes: Bytes,
  memoryAvailableBytes: Type.Optional(Bytes),
  diskBytes: Bytes,
  diskTotalBytes: Type.Optional(Bytes),
  gpus: Type.Array(GpuBody, { maxItems: MAX_ENTRIES }),
  fpgas: Type.Optional(Type.Array(DeviceBody, { maxItems: MAX_ENTRIES })),
  tpus: Type.Optional(Type.Array(DeviceBody, { maxItems: MAX_ENTRIES })),
  tees: Type.Optional(Type.Array(Text(24), { maxItems: MAX_ENTRIES })),
  networkLinks: Type.Optional(
    Type.Array(Type.Object({ kind: Text(16), speedMbps: Type.Optional(Speed), count: Count }), {
      maxItems: MAX_ENTRIES,
    }),
  ),
  score: Type.Optional(ScoreBody),
  region: Type.Optional(
    Type.String({
      pattern: REGION_PATTERN,
      maxLength: MAX_REGION_CHARS,
      description: 'where its operator says that it is',
    }),
  ),
  forJobs: Type.Optional(ForJobsBody),
  attach: Type.Optional(Type.Boolean({ description: 'lets requesters into their tasks' })),
  sandboxes: Type.Record(Type.String({ pattern: '^[a-z0-9-]{1,32}$' }), Text(80), {
    maxProperties: MAX_ENTRIES,
  }),
})
export type HardwareBody = Static<typeof HardwareBody>
