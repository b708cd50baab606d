import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'

/** What an endpoint does instead of answering; `undefined`: it answers. */
export type RpcTrouble = 'refuses' | 'hangs' | 'answers 500' | 'answers rubbish'

/** An RPC endpoint in front of another, for one node. */
export interface RpcProxy extends AsyncDisposable {
  readonly url: string
  trouble: RpcTrouble | undefined
}

/** Serves `target` on loopback. */
export async function openRpcProxy(target: string): Promise<RpcProxy> {
  let trouble: RpcTrouble | undefined
  const hanging = new Set<Socket>()
  const server = createServer((request, response) => {
    if (trouble === 'refuses') return void request.socket.destroy()
    if (trouble === 'hangs') return void hanging.add(request.socket)
    if (trouble !== undefined) return answerBadly(trouble, response)
    void (async () => {
      const body = await textOf(request)
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(target, { method: 'POST', headers, body })
      response.writeHead(answer.status, headers).end(await answer.text())
    })().catch(() => request.socket.destroy()) // as good as an endpoint that is away
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get trouble() {
      return trouble
    },
    set trouble(next) {
      trouble = next
      // what hung is not to hang for as long as its caller waits once all is well
      for (const socket of hanging) socket.destroy()
      hanging.clear()
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}

function answerBadly(trouble: 'answers 500' | 'answers rubbish', response: ServerResponse): void {
  if (trouble === 'answers 500') response.writeHead(500).end('{}')
  else response.writeHead(200, { 'content-type': 'application/json' }).end('<html>no chain</html>')
}
