import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { HiveError } from '../domain/errors.ts'
import type { App } from './app.ts'

/** Tells the command line that it has a node before it, and not another program on the same port. */
export const API_HEADER = 'computehive-api'
/** Version of the routes; also their path prefix. */
export const API_VERSION = 'v1'

/**
 * Lets in only callers that hold the token and that named this machine: a page in a browser whose
 * name was made to resolve to 127.0.0.1 sends its own name as the host.
 */
export function guard(app: App, token: string): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(API_HEADER, API_VERSION)
    requireAccess(request.headers, token)
  })
}

/** Throws `API_HOST_REFUSED` or `API_UNAUTHORISED` unless a request's head may pass. */
export function requireAccess(
  { host = '', authorization = '' }: IncomingHttpHeaders,
  token: string,
): void {
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host))
    throw new HiveError('API_HOST_REFUSED', { host: host.slice(0, 100) })
  // Digests of equal length, so that the comparison takes the same time whatever was sent.
  if (!timingSafeEqual(digest(`Bearer ${token}`), digest(authorization)))
    throw new HiveError('API_UNAUTHORISED')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
