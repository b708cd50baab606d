import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'

/**
 * A container's stdin, and its stdout and stderr in frames, as one stream. The client's own way sends a body with it, which
 * Podman takes for the first of the stdin.
 * @throws what the engine's own client would: an error with `statusCode` and `json`
 */
export async function attachHijacked(container: Docker.Container): Promise<Duplex> {
  const { socketPath } = container.modem as { readonly socketPath: string }
  const asking = request({
    socketPath,
    method: 'POST',
    path: `/containers/${container.id}/attach?stream=true&stdin=true&stdout=true&stderr=true`,
    headers: { Connection: 'Upgrade', Upgrade: 'tcp' },
  })
  const refused = Promise.withResolvers<never>()
  asking.once('response', (response) => {
    refused.reject(refusal(response))
    response.resume()
  })
  asking.once('error', (error) => {
    refused.reject(error)
  })
  const upgraded = once(asking, 'upgrade') as Promise<[IncomingMessage, Duplex, Buffer]>
  upgraded.catch(() => undefined) // refused tells it
  asking.end()
  const [, stream, head] = await Promise.race([upgraded, refused.promise])
  if (head.length > 0) stream.unshift(head)
  return stream
}

function refusal({ statusCode = 0, statusMessage = '' }: IncomingMessage): Error {
  const message = `status ${statusCode} ${statusMessage}`
  return Object.assign(new Error(message), { statusCode, json: { message } })
}
