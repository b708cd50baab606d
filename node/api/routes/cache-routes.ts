import { Type } from 'typebox'
import type { CachedResults } from '../../services/requester/result-cache.ts'
import type { App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { CidText } from '../schemas/basics.ts'
import { CacheEntryBody } from '../schemas/cache.ts'

/** Results of deterministic jobs that answer the same jobs again. */
export function cacheRoutes(app: App, { requester }: RouteContext): void {
  const { cache } = requester

  app.get(
    '/v1/cache',
    {
      schema: {
        summary: 'What the result cache has, the entry used last first',
        response: { 200: Type.Object({ entries: Type.Array(CacheEntryBody) }) },
      },
    },
    async () => ({ entries: (await cache.list()).map(view) }),
  )

  app.delete(
    '/v1/cache',
    { schema: { summary: 'Empties the result cache' } },
    async (_request, reply) => {
      await cache.clear()
      return reply.code(204).send()
    },
  )

  app.delete(
    '/v1/cache/:spec',
    {
      schema: {
        summary: 'Forgets the results of one spec',
        params: Type.Object({ spec: CidText }),
      },
    },
    async ({ params }, reply) => {
      await cache.remove(params.spec)
      return reply.code(204).send()
    },
  )
}

function view({ results, ...entry }: CachedResults): CacheEntryBody {
  const known = results.filter((result) => result !== null).length
  return { ...entry, tasks: results.length, known }
}
