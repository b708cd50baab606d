import swagger from '@fastify/swagger'
import type { App } from './app.ts'

/** Collects the schemas of all routes added after it. */
export async function collectSchemas(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'ComputeHive node',
        description: 'The local API of one node. Loopback only; the token is in its api.json.',
        version: '1',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  })
}

/** Serves what was collected. */
export function documentRoute(app: App): void {
  app.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
