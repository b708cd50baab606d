import { Type } from 'typebox'
import { MAX_EXIT_CODE, MAX_RETRY_ENDS, RETRY_REASONS } from '../../domain/retry-policy.ts'
import { day } from '../../domain/units.ts'

const closed = { additionalProperties: false }
const Ms = Type.Integer({ minimum: 0, maximum: 7 * day, description: 'ms' })

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

/** How the node handles a job; no provider sees any of it. */
export const handlingFields = {
  retry: Type.Optional(RetryBody),
}
