import type { GpuDevice } from '../../node/domain/gpu-need.ts'
import type { Bytes32 } from '../../node/domain/ids.ts'
import type { TaskNeed } from '../../node/domain/task-need.ts'
import { minute } from '../../node/domain/units.ts'
import type { ShareNeed } from '../../node/services/provider/share-line.ts'
import type { Slots } from '../../node/services/provider/slots.ts'

let shares = 0

/** An id that no other share has. */
export function aShareId(): Bytes32 {
  return `0x${(++shares).toString(16).padStart(64, '0')}`
}

/** What a share of one task asks, for a minute at most and as expected unless told otherwise. */
export function aShareNeed(need: TaskNeed, changes: Partial<ShareNeed> = {}): ShareNeed {
  const { mostMs = minute } = changes
  return { job: 'job', need, tasks: 1, mostMs, expectedMs: () => mostMs, ...changes }
}

/** Books a share of one task at once and runs it in its turn; its place goes with it. */
export async function bookedTask<T>(
  slots: Slots,
  share: ShareNeed,
  signal: AbortSignal,
  work: (gpus: readonly GpuDevice[]) => Promise<T>,
): Promise<T> {
  const id = aShareId()
  using _place = slots.book(id, share)
  return await slots.use(id, signal, work)
}
