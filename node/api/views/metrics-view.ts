import { SERIES, type SeriesName } from '../../domain/machine-sample.ts'
import {
  RESOLUTIONS,
  TASK_COLUMNS,
  type Moment,
  type Resolution,
} from '../../services/monitoring/monitor.ts'
import type { RingRows } from '../../services/monitoring/ring.ts'
import type { MomentBody, SeriesBody, TaskSeriesBody } from '../schemas/metrics.ts'

/** A moment as the API answers it. */
export function momentView({ machine, tasks }: Moment): MomentBody {
  return { machine: { ...machine, gpus: [...machine.gpus] }, tasks: [...tasks] }
}

/** Series of the machine by name. */
export function seriesView(resolution: Resolution, rows: RingRows): SeriesBody {
  const columns = named<SeriesName>(SERIES, rows)
  return { stepMs: RESOLUTIONS[resolution].stepMs, at: [...rows.at], columns }
}

/** Series of a task by name. */
export function taskSeriesView(rows: RingRows): TaskSeriesBody {
  return { at: [...rows.at], columns: named(TASK_COLUMNS, rows) }
}

function named<T extends string>(
  names: readonly T[],
  { columns }: RingRows,
): Record<T, (number | null)[]> {
  const entries = names.map((name, at) => [name, [...(columns[at] ?? [])]])
  return Object.fromEntries(entries) as Record<T, (number | null)[]>
}
