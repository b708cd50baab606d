import { MAX_SPEC_BYTES } from '../../protocol/limits.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { toJobRequest } from '../job-request.ts'
import { JobRequestBody } from '../schemas/job-request.ts'
import { QuoteBody } from '../schemas/quotes.ts'
import { quoteView } from '../views/quote-view.ts'

/** JSON of a spec is longer than its block: field names, CIDs as text. */
const MAX_QUOTE_JSON_BYTES: number = 8 * MAX_SPEC_BYTES

/** What jobs would cost. */
export function quoteRoutes(app: App, { requester, stop }: RouteContext): void {
  app.post(
    '/v1/quotes',
    {
      bodyLimit: MAX_QUOTE_JSON_BYTES,
      schema: {
        summary: 'Asks what a job would cost, and commits to nothing',
        body: JobRequestBody,
        response: { 200: QuoteBody },
      },
    },
    async ({ body }, reply) =>
      quoteView(await requester.quoting.quote(toJobRequest(body), signalOf(reply, stop))),
  )
}
