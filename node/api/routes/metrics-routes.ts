import { Type } from 'typebox'
import { HiveError } from '../../domain/errors.ts'
import type { RouteContext } from '../api-parts.ts'
import type { App } from '../app.ts'
import { MomentBody, SeriesBody, TaskSeriesBody } from '../schemas/metrics.ts'
import { momentView, seriesView, taskSeriesView } from '../views/metrics-view.ts'
import { PROMETHEUS_TYPE, prometheusText } from '../views/prometheus-text.ts'

/** What the machine and its tasks do, now and over the last day. */
export function metricsRoutes(app: App, context: RouteContext): void {
  const { monitor, provider, reconciler, startedAt } = context

  app.get(
    '/v1/metrics',
    { schema: { summary: 'The machine and its tasks now', response: { 200: MomentBody } } },
    async (): Promise<MomentBody> => momentView(await monitor.now()),
  )

  app.get(
    '/v1/metrics/series',
    {
      schema: {
        summary: 'Means of each second for ten minutes, or of each minute for a day',
        querystring: Type.Object(
          {
            resolution: Type.Optional(Type.Union([Type.Literal('second'), Type.Literal('minute')])),
            since: Type.Optional(Type.String({ pattern: '^\\d{1,15}$', description: 'Unix ms' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: SeriesBody },
      },
    },
    async ({ query: { resolution = 'second', since = '0' } }): Promise<SeriesBody> =>
      seriesView(resolution, monitor.series(resolution, Number(since))),
  )

  app.get(
    '/v1/metrics/tasks/:id',
    {
      schema: {
        summary: 'What one task used, every 5 s for the last ten minutes of it',
        params: Type.Object({ id: Type.String({ maxLength: 100 }) }),
        response: { 200: TaskSeriesBody },
      },
    },
    async ({ params: { id } }): Promise<TaskSeriesBody> => {
      const rows = monitor.taskSeries(id, 0)
      if (rows === undefined) throw new HiveError('JOB_UNKNOWN', { task: id })
      return taskSeriesView(rows)
    },
  )

  app.get(
    '/metrics',
    { schema: { summary: 'The same as /v1/metrics, for Prometheus' } },
    async (_request, reply) => {
      const text = prometheusText(await monitor.now(), {
        startedAt,
        peers: context.peerCount(),
        relaying: context.relaying(),
        waiting: provider?.slots.waiting ?? 0,
        driftOf: (kind) => reconciler.driftOf(kind),
        visibility: context.visibility?.view,
      })
      return reply.header('content-type', PROMETHEUS_TYPE).send(text)
    },
  )
}
