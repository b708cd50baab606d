import { Type, type Static } from 'typebox'
import {
  MAX_ATTEMPTS,
  MAX_JOB_TIMEOUT_MS,
  MAX_NAMED_PROVIDERS,
  MAX_PRIORITY,
} from '../../domain/job-handling.ts'
import { KEEP_WORDS, MAX_KEEP_MS } from '../../domain/keeping.ts'
import { MAX_EXIT_CODE, MAX_RETRY_ENDS, RETRY_REASONS } from '../../domain/retry-policy.ts'
import { AmountText } from './basics.ts'

const closed = { additionalProperties: false }
const Ms = Type.Integer({ minimum: 0, maximum: MAX_JOB_TIMEOUT_MS, description: 'ms' })

/** Which tasks are run again, when and where; how often is the request's `attempts`. */
const RetryBody = Type.Object(
  {
    on: Type.Array(
      Type.Union([
        Type.Enum([...RETRY_REASONS]),
        Type.Integer({ minimum: 1, maximum: MAX_EXIT_CODE, description: 'exit code' }),
      ]),
      { maxItems: MAX_RETRY_ENDS },
    ),
    backOff: Type.Object(
      { firstMs: Ms, factor: Type.Number({ minimum: 1, maximum: 10 }), mostMs: Ms },
      closed,
    ),
    elsewhere: Type.Boolean(),
  },
  closed,
)

const TimeoutMs = Type.Integer({ minimum: 1, maximum: MAX_JOB_TIMEOUT_MS, description: 'ms' })

/** Longest waits; left out: as long as it takes. */
const TimeoutsBody = Type.Object(
  {
    queueMs: Type.Optional(TimeoutMs),
    fetchMs: Type.Optional(TimeoutMs),
    totalMs: Type.Optional(TimeoutMs),
  },
  closed,
)

const KeepPolicyBody = Type.Union([
  Type.Integer({ minimum: 0, maximum: MAX_KEEP_MS, description: 'ms after the end of the job' }),
  Type.Enum([...KEEP_WORDS]),
])

/** How long the node keeps contents of the job. */
const KeepBody = Type.Object(
  { results: Type.Optional(KeepPolicyBody), inputs: Type.Optional(KeepPolicyBody) },
  closed,
)

/** What a job under way may be given more of: new values, none below what it has. */
export const JobExtensionBody = Type.Object(
  {
    queueMs: Type.Optional(TimeoutMs),
    totalMs: Type.Optional(TimeoutMs),
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ATTEMPTS })),
    maxPrice: Type.Optional(AmountText),
    budget: Type.Optional(AmountText),
    /** Of a service: how long it runs in all. Of any other task it is in the spec that providers sign for: refused. */
    timeoutMs: Type.Optional(TimeoutMs),
  },
  closed,
)
export type JobExtensionBody = Static<typeof JobExtensionBody>

/** How the node handles a job; no provider sees any of it. */
export const handlingFields = {
  retry: Type.Optional(RetryBody),
  timeouts: Type.Optional(TimeoutsBody),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_PRIORITY })),
  cache: Type.Optional(Type.Literal('allow')),
  providers: Type.Optional(
    Type.Array(Type.String({ pattern: '^[1-9A-HJ-NP-Za-km-z]{46,64}$', description: 'PeerId' }), {
      minItems: 1,
      maxItems: MAX_NAMED_PROVIDERS,
      description: 'the only ones that are asked, each directly',
    }),
  ),
  keep: Type.Optional(KeepBody),
  attach: Type.Optional(
    Type.Literal(true, { description: 'only providers that let one into the running task' }),
  ),
}

const HandlingBody = Type.Object(handlingFields, closed)
export type HandlingBody = Static<typeof HandlingBody>
