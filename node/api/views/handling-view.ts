import type { JobHandling } from '../../domain/job-handling.ts'
import type { HandlingBody } from '../schemas/job-handling.ts'

/** How a job is handled, as its request says it. */
export function handlingView({ retry, providers, ...handling }: JobHandling): HandlingBody {
  return {
    ...handling,
    ...(providers !== undefined && { providers: [...providers] }),
    ...(retry !== undefined && { retry: { ...retry, on: [...retry.on] } }),
  }
}
