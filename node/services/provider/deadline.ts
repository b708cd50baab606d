import { second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { WorkRecord } from './records.ts'
import type { WorkBook } from './work-book.ts'

/** What says when a share is due. */
export interface DeadlineParts {
  readonly clock: Clock
  readonly works: WorkBook
}

/** Resolves at the deadline of a share, which may move meanwhile. Throws the signal's reason. */
export async function deadlineOf(
  { clock, works }: DeadlineParts,
  work: WorkRecord,
  signal: AbortSignal,
): Promise<void> {
  const left = () => works.intervals.finishBy(work) * second - clock.now()
  do await clock.sleep(Math.max(0, left()), signal)
  while (left() > 0)
}
