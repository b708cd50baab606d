import { list, map, optional, reader, type Problem, type Reader } from '../../config/reading.ts'
import { bool, duration } from '../../config/values.ts'
import type { JobHandling } from '../../domain/job-handling.ts'
import {
  DEFAULT_RETRY,
  MAX_EXIT_CODE,
  MAX_RETRY_ENDS,
  RETRY_REASONS,
  type RetryPolicy,
  type RetryReason,
} from '../../domain/retry-policy.ts'
import { day } from '../../domain/units.ts'

/** Longest pause that can be asked for, ms. */
const MAX_PAUSE_MS: number = 7 * day
const MAX_FACTOR = 10

const end = reader<RetryReason | number>(
  `an exit code above 0, or ${RETRY_REASONS.join(', ')}`,
  (raw) => {
    const reason = RETRY_REASONS.find((each) => each === raw)
    if (reason !== undefined) return reason
    const code = typeof raw === 'string' && /^\d{1,10}$/.test(raw) ? Number(raw) : raw
    const fits = Number.isInteger(code) && Number(code) >= 1 && Number(code) <= MAX_EXIT_CODE
    return fits ? Number(code) : undefined
  },
)
const factor = reader(`a number from 1 to ${MAX_FACTOR}`, (raw) => {
  const value = typeof raw === 'string' && /^\d{1,2}(\.\d{1,3})?$/.test(raw) ? Number(raw) : raw
  return typeof value === 'number' && value >= 1 && value <= MAX_FACTOR ? value : undefined
})

/** What a spec file says of how the node handles the job. */
export const HANDLING_FIELDS = {
  retry: map({
    on: optional(list(end)),
    elsewhere: optional(bool),
    backOff: map({
      first: optional(duration(MAX_PAUSE_MS)),
      factor: optional(factor),
      most: optional(duration(MAX_PAUSE_MS)),
    }),
  }),
}

const handling = map(HANDLING_FIELDS)
/** What the readers of {@link HANDLING_FIELDS} make of a spec file. */
export type HandlingDocument = typeof handling extends Reader<infer T> ? T : never

/** What is wrong with handling whose fields are right one by one. */
export function handlingMistakes({ retry }: HandlingDocument): Problem[] {
  if ((retry.on?.length ?? 0) <= MAX_RETRY_ENDS) return []
  return [{ path: 'retry.on', text: `expected at most ${MAX_RETRY_ENDS} entries` }]
}

/** The handling that a spec file asks for; what it does not speak of is left out. */
export function handlingOf({ retry }: HandlingDocument): JobHandling {
  const policy = retryOf(retry)
  return { ...(policy !== undefined && { retry: policy }) }
}

function retryOf({ on, elsewhere, backOff }: HandlingDocument['retry']): RetryPolicy | undefined {
  const said = [on, elsewhere, ...Object.values(backOff)]
  if (said.every((each) => each === undefined)) return undefined
  const { firstMs, factor: growth, mostMs } = DEFAULT_RETRY.backOff
  return {
    on: [...new Set(on ?? DEFAULT_RETRY.on)],
    elsewhere: elsewhere ?? DEFAULT_RETRY.elsewhere,
    backOff: {
      firstMs: backOff.first ?? firstMs,
      factor: backOff.factor ?? growth,
      mostMs: backOff.most ?? mostMs,
    },
  }
}
