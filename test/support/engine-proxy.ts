import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request, type IncomingMessage, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type Docker from 'dockerode'

/** Stands between a sandbox and an engine. */
export interface EngineProxy extends AsyncDisposable {
  readonly socketPath: string
  /** What the sandbox asked for, container by container. */
  readonly asked: readonly Docker.ContainerCreateOptions[]
}

/**
 * A socket that passes everything on to the engine at `to`; of containers that are to be created it keeps what was
 * asked, and the engine is asked for what `change` makes of it.
 */
export async function openEngineProxy(
  to: string,
  change: (asked: Docker.ContainerCreateOptions) => Docker.ContainerCreateOptions,
): Promise<EngineProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'hive-engine-'))
  const socketPath = join(folder, 'docker.sock')
  const asked: Docker.ContainerCreateOptions[] = []
  const sockets = new Set<Duplex>()
  const options = ({ url, method, headers }: IncomingMessage): RequestOptions => ({
    socketPath: to,
    path: url,
    method,
    headers,
  })
  const server = createServer((from, answer) => {
    void (async () => {
      const body = await buffer(from)
      const isCreate = /\/containers\/create(\?|$)/.test(from.url ?? '')
      let bytes = body
      if (isCreate) {
        const wanted = JSON.parse(body.toString()) as Docker.ContainerCreateOptions
        asked.push(wanted)
        bytes = Buffer.from(JSON.stringify(change(wanted)))
      }
      const headers = { ...from.headers, 'content-length': String(bytes.length) }
      delete headers['transfer-encoding']
      const onward = request({ ...options(from), headers })
      onward.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers)
        // streams tell of themselves before they have anything to say
        answer.flushHeaders()
        response.pipe(answer)
      })
      onward.on('error', () => answer.destroy())
      answer.on('close', () => onward.destroy())
      onward.end(bytes)
    })()
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (from, socket) => {
    const onward = request(options(from))
    onward.on('upgrade', (response, engine, head) => {
      const type = response.headers['content-type'] ?? ''
      const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp'
      socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\n${upgrade}\r\n\r\n`)
      socket.write(head)
      engine.pipe(socket)
      socket.pipe(engine)
      engine.on('error', () => socket.destroy())
      socket.on('error', () => engine.destroy())
    })
    onward.end()
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    socketPath,
    asked,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
