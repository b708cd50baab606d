import { Type } from 'typebox'
import { MAX_CLASS_CHARS } from '../../domain/job-spec.ts'
import { day } from '../../domain/units.ts'
import type { App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { PricesBody } from '../schemas/prices.ts'
import { pricesView } from '../views/prices-view.ts'

/** What is told unasked, ms back from now. */
const USUAL_MS: number = 1 * day

/** What computing has cost. */
export function priceRoutes(app: App, { clock, prices }: RouteContext): void {
  app.get(
    '/v1/prices',
    {
      schema: {
        summary: 'Prices by class and hour, of what this node heard, asked and agreed on',
        querystring: Type.Object(
          {
            class: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_CLASS_CHARS })),
            since: Type.Optional(
              Type.String({ pattern: '^\\d{1,15}$', description: 'Unix ms; left out: a day ago' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: PricesBody },
      },
    },
    async ({ query: { class: name, since } }): Promise<PricesBody> =>
      pricesView(
        prices.history(since === undefined ? clock.now() - USUAL_MS : Number(since), name),
      ),
  )
}
