import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'

/** An RPC endpoint in front of another, which can go away and lose answers. */
export interface ChainProxy extends AsyncDisposable {
  readonly url: string
  /** Every raw transaction that came by, oldest first. */
  readonly sent: readonly string[]
  /** Cuts every connection while true. */
  away: boolean
  /** Changes what a method answers; `undefined` passes it on as it is. */
  lie: ((method: string, result: unknown) => unknown) | undefined
  /** Cuts the next connections that bring a transaction, after it is passed on. */
  loseAnswers: number
}

/** Serves `target` on loopback. */
export async function startProxy(target: string): Promise<ChainProxy> {
  const sent: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const body = await textOf(request)
      if (proxy.away) return void request.socket.destroy()
      const { method, params } = JSON.parse(body) as { method: string; params: string[] }
      const isSend = method === 'eth_sendRawTransaction'
      if (isSend) sent.push(params[0] ?? '')
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(target, { method: 'POST', headers, body })
      const result = lied(method, await answer.text(), proxy.lie)
      if (isSend && proxy.loseAnswers-- > 0) return void request.socket.destroy()
      response.writeHead(answer.status, headers).end(result)
    })().catch(() => request.socket.destroy()) // as good as an endpoint that is away
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: ChainProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    away: false,
    lie: undefined,
    loseAnswers: 0,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}

function lied(method: string, answer: string, lie: ChainProxy['lie']): string {
  const body = JSON.parse(answer) as { result?: unknown }
  const result = lie?.(method, body.result)
  return result === undefined ? answer : JSON.stringify({ ...body, result })
}
