import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'

/** Longest answer read when the engine refuses, characters. */
const MAX_ANSWER_CHARS = 16_384

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
    void refusal(response).then(refused.reject)
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

/** What the engine says in its answer; without words of its own, the status. Never rejects. */
async function refusal(response: IncomingMessage): Promise<Error> {
  const { statusCode = 0, statusMessage = '' } = response
  let text = ''
  let said: unknown
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk)
      if (text.length > MAX_ANSWER_CHARS) break
    }
    said = (JSON.parse(text) as { readonly message?: unknown } | null)?.message
  } catch {
    // cut off, or no JSON: there is the status
  }
  const message = typeof said === 'string' ? said : `status ${statusCode} ${statusMessage}`
  return Object.assign(new Error(message), { statusCode, json: { message } })
}
