import type { JobHandling } from '../../domain/job-handling.ts'
import type { JobRequestBody } from '../schemas/job-request.ts'

/** How a job is handled, as its request says it. */
export function handlingView({ retry }: JobHandling): Pick<JobRequestBody, 'retry'> {
  return { ...(retry !== undefined && { retry: { ...retry, on: [...retry.on] } }) }
}
