import { Type } from 'typebox'
import { HiveError } from '../../domain/errors.ts'
import type { App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { Bytes32Text } from '../schemas/basics.ts'
import { WorkBody, WorkListBody, WorkLogsBody } from '../schemas/money.ts'
import { earningView, workView } from '../views/money-view.ts'

/** What this node does for others, and earns by it. */
export function workRoutes(app: App, { provider }: RouteContext): void {
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
    {
      schema: {
        summary: 'One share, by its agreement id',
        params: Type.Object({ id: Bytes32Text }),
        response: { 200: WorkBody },
      },
    },
    async ({ params }) => {
      const work = await provider?.works.get(params.id)
      if (work === undefined) throw new HiveError('AGREEMENT_UNKNOWN', { agreement: params.id })
      return workView(work)
    },
  )

  app.get(
    '/v1/work/:id/logs',
    {
      schema: {
        summary: 'What the tasks of a share have printed here so far, as far as it is kept',
        params: Type.Object({ id: Bytes32Text }),
        response: { 200: WorkLogsBody },
      },
    },
    async ({ params }): Promise<WorkLogsBody> => {
      const work = await provider?.works.get(params.id)
      if (provider === undefined || work === undefined)
        throw new HiveError('AGREEMENT_UNKNOWN', { agreement: params.id })
      const pieces = provider.works.log(work).printed()
      return {
        pieces: pieces.map(({ index, stream, bytes }) => ({
          index,
          stream,
          data: Buffer.from(bytes).toString('base64'),
        })),
      }
    },
  )
}
