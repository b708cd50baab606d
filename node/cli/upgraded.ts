import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex as ByteStream } from 'node:stream'
import type { ApiAccess } from '../api/api-file.ts'
import { errorFrom } from '../api/error-from.ts'
import { FRAMES_PROTOCOL, FrameSocket } from '../api/frame-socket.ts'
import { API_HEADER } from '../api/guards.ts'
import { HiveError } from '../domain/errors.ts'

/** Opens a connection to the node's API and has it upgraded. Throws `NODE_NOT_RUNNING` and what the node refuses with. */
export async function openUpgraded(
  { port, token }: ApiAccess,
  path: string,
  signal: AbortSignal | undefined,
): Promise<FrameSocket> {
  const headers = {
    connection: 'Upgrade',
    upgrade: FRAMES_PROTOCOL,
    authorization: `Bearer ${token}`,
  }
  const { promise, resolve, reject } = Promise.withResolvers<FrameSocket>()
  const request = httpRequest({ host: '127.0.0.1', port, path, headers, ...(signal && { signal }) })
  request.once('upgrade', (_answer: IncomingMessage, socket: ByteStream, head: Buffer) => {
    resolve(new FrameSocket(socket, head))
  })
  request.once('response', (answer) => {
    refusal(answer).then(reject, reject)
  })
  request.once('error', (cause) => {
    const isOwn = signal?.aborted === true
    reject(new HiveError(isOwn ? 'CANCELLED' : 'NODE_NOT_RUNNING', { port }, { cause }))
  })
  request.end()
  return await promise
}

async function refusal(answer: IncomingMessage): Promise<HiveError> {
  let body = ''
  for await (const chunk of answer) body += String(chunk)
  // another program may have taken the port of a node that is gone
  if (answer.headers[API_HEADER] === undefined) return new HiveError('NODE_NOT_RUNNING')
  try {
    return errorFrom(JSON.parse(body))
  } catch {
    return errorFrom(undefined) // not JSON: no code
  }
}
