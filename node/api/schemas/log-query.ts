import { Type, type Static } from 'typebox'
import { MAX_TASKS } from '../../domain/offer.ts'

const Flag = Type.Union([Type.Literal('true'), Type.Literal('false')])

/** Which output to send, as a query says it. */
export const LogQueryBody = Type.Object(
  {
    task: Type.Optional(Type.String({ pattern: '^\\d{1,5}$' })),
    follow: Type.Optional(Flag),
    all: Type.Optional(Flag),
  },
  { additionalProperties: false },
)

/** Which output to send. */
export interface LogQuery {
  /** One task only. */
  readonly task: number | undefined
  /** Whether to go on with what running tasks print, until all has ended. */
  readonly follow: boolean
  /** Whether to begin with runs that brought no result where there is one. */
  readonly allRuns: boolean
}

export function toLogQuery({ task, follow, all }: Static<typeof LogQueryBody>): LogQuery {
  return {
    task: task === undefined ? undefined : Math.min(Number(task), MAX_TASKS),
    follow: follow === 'true',
    allRuns: all === 'true',
  }
}
