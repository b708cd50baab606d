import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { HiveError } from '../domain/errors.ts'
import { MAX_SPEC_BYTES } from '../protocol/limits.ts'
import { newToken, removeApiFile, writeApiFile, type ApiAccess } from './api-file.ts'
import type { ApiOptions, ApiParts, RouteContext } from './api-parts.ts'
import type { App } from './app.ts'
import { answerErrors } from './error-reply.ts'
import { guard } from './guards.ts'
import { collectSchemas, documentRoute } from './open-api-document.ts'
import { attachRoutes } from './routes/attach-routes.ts'
import { blobRoutes } from './routes/blob-routes.ts'
import { cacheRoutes } from './routes/cache-routes.ts'
import { imageRoutes } from './routes/image-routes.ts'
import { jobRoutes } from './routes/job-routes.ts'
import { priceRoutes } from './routes/price-routes.ts'
import { quoteRoutes } from './routes/quote-routes.ts'
import { measuringRoutes } from './routes/measuring-routes.ts'
import { metricsRoutes } from './routes/metrics-routes.ts'
import { nodeRoutes } from './routes/node-routes.ts'
import { walletRoutes } from './routes/wallet-routes.ts'
import { workflowRoutes } from './routes/workflow-routes.ts'
import { workRoutes } from './routes/work-routes.ts'
import { answerUpgrades } from './upgrades.ts'

/** A node's API while it is open. Disposing ends every stream and removes the token file. */
export interface Api extends AsyncDisposable {
  readonly port: number
}

/** Never reachable from another machine. */
const HOST = '127.0.0.1'

/**
 * Opens the node's API on loopback and leaves its port and token in the data folder. Throws
 * `PORT_IN_USE` and `DATA_UNUSABLE`.
 */
export async function openApi(parts: ApiParts, options: ApiOptions): Promise<Api> {
  const stop = new AbortController()
  const token = newToken()
  const app = await createApp(
    { ...parts, options, startedAt: parts.clock.now(), stop: stop.signal },
    token,
  )
  const close = async () => {
    stop.abort(new HiveError('CANCELLED'))
    await app.close()
  }
  let access: ApiAccess
  try {
    access = { port: await listen(app, options.port), token, pid: process.pid }
    await writeApiFile(options.dataDir, access)
  } catch (error) {
    await close()
    throw error
  }
  return {
    port: access.port,
    async [Symbol.asyncDispose]() {
      await removeApiFile(options.dataDir, access)
      await close()
    },
  }
}

/** The server with all its routes, not yet listening. */
async function createApp(context: RouteContext, token: string): Promise<App> {
  const app = fastify({
    bodyLimit: MAX_SPEC_BYTES,
    forceCloseConnections: true,
    // A request is taken as written or refused with everything that is wrong with it.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
  }) as unknown as App
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  guard(app, token)
  answerErrors(app, context.logger)
  await collectSchemas(app)
  const all = [
    nodeRoutes,
    blobRoutes,
    imageRoutes,
    jobRoutes,
    quoteRoutes,
    priceRoutes,
    workflowRoutes,
    cacheRoutes,
    workRoutes,
    walletRoutes,
    measuringRoutes,
    metricsRoutes,
  ]
  for (const routes of all) routes(app, context)
  answerUpgrades(app, context, token, attachRoutes(app, context))
  documentRoute(app)
  await app.ready()
  return app
}

async function listen(app: App, port: number): Promise<number> {
  try {
    await app.listen({ host: HOST, port })
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new HiveError(
      taken ? 'PORT_IN_USE' : 'INTERNAL',
      { port, setting: 'api.port' },
      { cause },
    )
  }
  return (app.server.address() as AddressInfo).port
}
