import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex as ByteStream } from 'node:stream'
import { HiveError } from '../domain/errors.ts'
import type { Logger } from '../ports/logger.ts'
import type { App } from './app.ts'
import { errorBody } from './error-reply.ts'
import { FRAMES_PROTOCOL, FrameSocket } from './frame-socket.ts'
import { API_HEADER, API_VERSION, requireAccess } from './guards.ts'
import { statusOf } from './http-status.ts'

/** What goes on over a connection that was upgraded. What it throws is told to the caller. */
export type UpgradedRoute = (id: string, socket: FrameSocket, signal: AbortSignal) => Promise<void>

/** What connections may be upgraded to, by the last word of `/v1/jobs/ID/WORD`. */
export type UpgradedRoutes = Readonly<Record<string, UpgradedRoute>>

/** Takes connections that ask to be upgraded, from callers that may. They end with `stop`, which waits for none. */
export function answerUpgrades(
  app: App,
  parts: { readonly logger: Logger; readonly stop: AbortSignal },
  token: string,
  routes: UpgradedRoutes,
): void {
  const { logger, stop } = parts
  app.server.on('upgrade', (request: IncomingMessage, stream: ByteStream, head: Buffer) => {
    let found: { id: string; route: UpgradedRoute }
    try {
      requireAccess(request.headers, token)
      found = routeOf(request, routes)
    } catch (error) {
      refuse(stream, error instanceof HiveError ? error : new HiveError('INTERNAL'))
      return
    }
    const left = new AbortController()
    const end = () => stream.destroy()
    stop.addEventListener('abort', end, { once: true })
    stream.once('close', () => {
      stop.removeEventListener('abort', end)
      left.abort(new HiveError('CANCELLED'))
    })
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${FRAMES_PROTOCOL}\r\n${API_HEADER}: ${API_VERSION}\r\n\r\n`,
    )
    const socket = new FrameSocket(stream, head)
    const signal = AbortSignal.any([stop, left.signal])
    found
      .route(found.id, socket, signal)
      .then(async () => socket.end())
      .catch(async (error: unknown) => {
        if (!(error instanceof HiveError))
          logger.error('upgraded request failed', { message: String(error) })
        await socket.fail(error)
      })
      .catch(() => undefined) // the caller left: nobody to tell
  })
}

function routeOf(
  { url = '', headers }: IncomingMessage,
  routes: UpgradedRoutes,
): { id: string; route: UpgradedRoute } {
  const [, id = '', name = ''] = /^\/v1\/jobs\/(0x[0-9a-f]{2,64})\/([a-z]+)$/.exec(url) ?? []
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined || headers.upgrade !== FRAMES_PROTOCOL)
    throw new HiveError('API_ROUTE_UNKNOWN', { path: url.slice(0, 200) })
  return { id, route }
}

function refuse(stream: ByteStream, error: HiveError): void {
  const status = statusOf(error.code)
  const body = JSON.stringify(errorBody(error))
  stream.on('error', () => undefined)
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${API_HEADER}: ${API_VERSION}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
