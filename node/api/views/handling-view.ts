import type { JobHandling } from '../../domain/job-handling.ts'
import type { HandlingBody } from '../schemas/job-handling.ts'

/** How a job is handled, as its request says it. */
export function handlingView({ retry, ...handling }: JobHandling): HandlingBody {
  return { ...handling, ...(retry !== undefined && { retry: { ...retry, on: [...retry.on] } }) }
}
