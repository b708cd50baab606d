import { map, optional, type Problem, type Reader } from '../../config/reading.ts'
import { duration } from '../../config/values.ts'
import type { ServiceTerms } from '../../domain/job-spec.ts'
import { isPayInterval, MAX_PAY_EVERY_MS } from '../../domain/metering.ts'
import { MAX_TASK_TIMEOUT_MS } from '../../domain/offer.ts'
import { JOB_DEFAULTS } from './job-defaults.ts'

/** What a spec file says of a service: a job that is paid by the second. */
export const SERVICE_FIELDS = map({
  for: optional(duration(MAX_TASK_TIMEOUT_MS)),
  payEvery: optional(duration(MAX_PAY_EVERY_MS)),
})
/** What the reader of {@link SERVICE_FIELDS} makes of it. */
type ServiceDocument = typeof SERVICE_FIELDS extends Reader<infer T> ? T : never

/** The terms of a service, and how long it runs at most, ms; `undefined` of a job that is none. */
export function serviceOf({
  for: termMs,
  payEvery,
}: ServiceDocument): { readonly terms: ServiceTerms; readonly timeoutMs: number } | undefined {
  if (termMs === undefined && payEvery === undefined) return undefined
  const payEveryMs = payEvery ?? JOB_DEFAULTS.payEveryMs
  return { terms: { payEveryMs }, timeoutMs: termMs ?? MAX_TASK_TIMEOUT_MS }
}

/** What is wrong with a service whose fields are right one by one. */
export function serviceMistakes(
  service: ServiceDocument,
  job: { readonly tasks?: number | undefined; readonly map?: unknown },
): Problem[] {
  const problems: Problem[] = []
  const { payEvery } = service
  if (serviceOf(service) === undefined) return problems
  if (payEvery !== undefined && (payEvery === 0 || !isPayInterval(payEvery)))
    problems.push({ path: 'service.payEvery', text: 'expected whole seconds, at least one' })
  if (service.for === 0) problems.push({ path: 'service.for', text: 'must be above zero' })
  if ((job.tasks ?? 1) > 1 || job.map !== undefined)
    problems.push({
      path: 'service',
      text: 'a service is one task; run one for each that you need',
    })
  return problems
}
