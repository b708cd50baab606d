import { MAX_TASK_TIMEOUT_MS } from './offer.ts'
import { second } from './units.ts'

/**
 * How long a service runs in all whose deadline has moved, ms: as much longer, up to MAX_TASK_TIMEOUT_MS. Deadlines in
 * Unix seconds.
 */
export function extendedTerm(termMs: number, firstFinishBy: number, finishBy: number): number {
  const moreMs = Math.max(0, finishBy - firstFinishBy) * second
  return Math.min(MAX_TASK_TIMEOUT_MS, termMs + moreMs)
}
