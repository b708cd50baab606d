import { once } from 'node:events'
import { request as overHttp, type IncomingMessage } from 'node:http'
import { request as overHttps } from 'node:https'
import type { FetchGetUrlFunc } from 'ethers'
import { HiveError } from '../../domain/errors.ts'
import { MiB } from '../../domain/units.ts'

/** Longest answer of an endpoint that is read, bytes: some hundred thousand events. */
const MAX_ANSWER_BYTES: number = 64 * MiB

/**
 * How the library asks an endpoint, with an end to every answer: in bytes, uncompressed, and in time,
 * from the question to the last byte. The library's own way has neither. Throws
 * `CHAIN_ANSWER_INVALID` for an answer that is longer, `CHAIN_UNREACHABLE` for one that takes longer.
 */
export function boundedGet(maxBytes: number = MAX_ANSWER_BYTES): FetchGetUrlFunc {
  return async ({ url, method, headers, body, timeout }, cancel) => {
    const stop = new AbortController()
    cancel?.addListener(() => stop.abort())
    const late = AbortSignal.timeout(timeout)
    const send = new URL(url).protocol === 'https:' ? overHttps : overHttp
    // Not compressed: a few bytes could become any number of them.
    const plain = { ...headers, 'accept-encoding': 'identity' }
    const signal = AbortSignal.any([stop.signal, late])
    try {
      const outgoing = send(url, { method, headers: plain, signal })
      outgoing.end(body)
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
      outgoing.on('error', () => undefined) // the response's own error tells it
      return {
        statusCode: response.statusCode ?? 0,
        statusMessage: response.statusMessage ?? '',
        headers: textHeaders(response),
        body: await bytesOf(response, maxBytes),
      }
    } catch (cause) {
      if (!late.aborted) throw cause
      const reason = `no whole answer within ${timeout} ms`
      throw new HiveError('CHAIN_UNREACHABLE', { action: 'read', reason }, { cause })
    }
  }
}

async function bytesOf(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early destroys the response.
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw new HiveError('CHAIN_ANSWER_INVALID', { action: 'read', maxBytes })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function textHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  )
}
