import { Type } from 'typebox'
import { HiveError } from '../../domain/errors.ts'
import { workOutput, type WorkOutputParts } from '../../services/provider/work-output.ts'
import type { WorkRecord } from '../../services/provider/records.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { sendEvents } from '../event-stream.ts'
import { logEvents } from '../log-events.ts'
import type { JobEventBody } from '../schemas/jobs.ts'
import { LogQueryBody, toLogQuery, type LogQuery } from '../schemas/log-query.ts'
import { WorkBody, WorkListBody } from '../schemas/money.ts'
import { earningView, workView } from '../views/money-view.ts'

const ById = Type.Object({ id: Type.String({ pattern: '^0x[0-9a-f]{2,64}$' }) })
const described = (summary: string) => ({ summary, params: ById })

/** What this node does for others, and earns by it. A share may be named by a unique start of its agreement’s id. */
export function workRoutes(app: App, { provider, blobs, clock, stop }: RouteContext): void {
  const worksOrThrow = (id: string) => {
    if (provider === undefined) throw new HiveError('AGREEMENT_UNKNOWN', { agreement: id })
    return provider.works
  }

  app.get(
    '/v1/work',
    {
      schema: {
        summary: 'Shares that this node works on, and what it earns; empty on a requester',
        response: { 200: WorkListBody },
      },
    },
    async (): Promise<WorkListBody> => ({
      works: ((await provider?.works.all()) ?? []).map(workView),
      earnings: (provider?.earnings.all() ?? []).map(earningView),
    }),
  )

  app.get(
    '/v1/work/:id',
    { schema: { ...described('One share'), response: { 200: WorkBody } } },
    async ({ params: { id } }) => workView(await worksOrThrow(id).find(id)),
  )

  app.get(
    '/v1/work/:id/logs',
    {
      schema: {
        ...described('What the tasks of a share have printed here, as server-sent log events'),
        querystring: LogQueryBody,
      },
    },
    async ({ params: { id }, query }, reply) => {
      const signal = signalOf(reply, stop)
      const works = worksOrThrow(id)
      const events = workLogs({ works, blobs }, await works.find(id), toLogQuery(query), signal)
      return sendEvents(reply, events, clock, signal)
    },
  )
}

async function* workLogs(
  parts: WorkOutputParts,
  work: WorkRecord,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<JobEventBody> {
  for await (const { index, stream, at, bytes } of workOutput(parts, work, query, signal))
    yield* logEvents(index, stream, at, bytes)
}
