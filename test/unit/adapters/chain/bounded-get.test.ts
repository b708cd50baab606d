import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { FetchRequest } from 'ethers'
import { boundedGet } from '../../../../node/adapters/chain/bounded-get.ts'
import { codeOf } from '../../../../node/domain/errors.ts'

const MAX_BYTES = 1000

/** Asks a server that answers so. */
async function ask(answer: RequestListener, timeoutMs = 20_000) {
  const server = createServer(answer)
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const request = new FetchRequest(`http://127.0.0.1:${port}/path`)
  request.body = '{"id":1}'
  request.timeout = timeoutMs
  request.getUrlFunc = boundedGet(MAX_BYTES)
  return await request.send()
}

test('bounded get: a question and its answer come through whole', async () => {
  const response = await ask((request, reply) => {
    void text(request).then((asked) => {
      reply.setHeader('x-two', ['a', 'b'])
      reply.writeHead(203, 'Well').end(`${request.method} ${request.url} ${asked}`)
    })
  })
  assert.equal(response.bodyText, 'POST /path {"id":1}')
  assert.equal(response.statusCode, 203)
  assert.equal(response.headers['x-two'], 'a, b')
})

test('bounded get: an answer of the most bytes is taken, one byte more is refused', async () => {
  const of = (bytes: number) => ask((_, reply) => void reply.end('x'.repeat(bytes)))
  assert.equal((await of(MAX_BYTES)).bodyText.length, MAX_BYTES)
  await assert.rejects(of(MAX_BYTES + 1), (error) => codeOf(error) === 'CHAIN_ANSWER_INVALID')
})

test('bounded get: an answer without end is left at its limit', async () => {
  const endless: RequestListener = (_, reply) => {
    const more = () => void reply.write('x'.repeat(100), more)
    reply.on('error', () => undefined)
    more()
  }
  await assert.rejects(ask(endless), (error) => codeOf(error) === 'CHAIN_ANSWER_INVALID')
})

test('bounded get: compression is not asked for, and not undone', async () => {
  const response = await ask((request, reply) => {
    assert.equal(request.headers['accept-encoding'], 'identity')
    reply.setHeader('content-encoding', 'gzip')
    reply.end(gzipSync('x'.repeat(MAX_BYTES * 100)))
  })
  assert.ok((response.body?.length ?? 0) < MAX_BYTES)
})

test('bounded get: an endpoint that drips is left when its time is over', async () => {
  const drip: RequestListener = (_, reply) => {
    const timer = setInterval(() => void reply.write('x'), 10)
    reply.on('close', () => clearInterval(timer))
  }
  await assert.rejects(ask(drip, 300), (error) => codeOf(error) === 'CHAIN_UNREACHABLE')
})

test('bounded get: an endpoint that hangs or hangs up is an error, before and within its answer', async () => {
  await assert.rejects(
    ask(() => undefined, 200),
    (error) => codeOf(error) === 'CHAIN_UNREACHABLE',
  )
  await assert.rejects(ask((request) => void request.socket.destroy()))
  await assert.rejects(
    ask((request, reply) => void reply.write('half', () => request.socket.destroy())),
  )
})
