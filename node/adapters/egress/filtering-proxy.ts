import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { destinationText } from '../../domain/egress.ts'
import { GiB, KiB, minute } from '../../domain/units.ts'
import type { EgressGate } from './egress-gate.ts'
import { OpeningRate } from './opening-rate.ts'
import { hostHeader, passedOn, readProxyRequest, type ProxyRequest } from './proxy-request.ts'
import { RefusalNotes, REFUSALS, type Refusal } from './refusals.ts'

/** How much of a proxy one job may have. */
export const PROXY_DEFAULTS = {
  /** Connections of the job at a time. */
  maxConnections: 32,
  /** Both directions of all connections together. */
  maxBytes: 1 * GiB,
  /** A connection on which nothing moves for this long is ended; a server may think for a while. */
  idleMs: 5 * minute,
}

/** Longest head of a request, bytes. */
const MAX_HEAD_BYTES: number = 16 * KiB
/** How this proxy calls itself in `Proxy-Status`. */
const NAME = 'computehive'

/** What went through, as the destinations saw it, bytes. */
export interface ProxyTraffic {
  readonly bytesIn: number
  readonly bytesOut: number
}

/**
 * A proxy for one job: CONNECT for TLS and everything else, whole URLs for plain HTTP. It connects through the gate only,
 * answers what it refuses with a code (RFC 9209), and ends all of it with its disposal.
 */
export class FilteringProxy implements AsyncDisposable {
  readonly notes = new RefusalNotes()
  readonly #server: Server
  readonly #gate: EgressGate
  readonly #limits: typeof PROXY_DEFAULTS
  readonly #http = createServer({ maxHeaderSize: MAX_HEAD_BYTES, insecureHTTPParser: false })
  readonly #ending = new AbortController()
  readonly #rate = new OpeningRate(performance.now())
  readonly #clients = new Set<Socket>()
  readonly #upstreams = new Set<Socket>()
  #dialling = 0
  #bytesIn = 0
  #bytesOut = 0

  /** Takes over `server`, which listens where the job, and nobody else, can reach it. */
  constructor(
    parts: { readonly server: Server; readonly gate: EgressGate },
    limits: Partial<typeof PROXY_DEFAULTS> = {},
  ) {
    this.#server = parts.server
    this.#gate = parts.gate
    this.#limits = { ...PROXY_DEFAULTS, ...limits }
    this.#http.on('connect', (asked: IncomingMessage, client: Duplex, head: Buffer) => {
      void this.#tunnel(asked, client, head)
    })
    this.#http.on('request', (asked, answer) => {
      void this.#forward(asked, answer)
    })
    this.#http.on('clientError', (_error, client) => {
      this.notes.add('(no request)', 'http_request_error')
      if (client.writable) client.end(refusalText('http_request_error'))
      else client.destroy()
    })
    this.#server.on('connection', (client) => {
      this.#admit(client)
    })
  }

  /** So far. */
  get traffic(): ProxyTraffic {
    let [bytesIn, bytesOut] = [this.#bytesIn, this.#bytesOut]
    for (const socket of this.#upstreams) {
      bytesIn += socket.bytesRead
      bytesOut += socket.bytesWritten
    }
    return { bytesIn, bytesOut }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    for (const socket of [...this.#clients, ...this.#upstreams]) socket.destroy()
    await closed
  }

  #admit(client: Socket): void {
    client.on('error', () => undefined) // its close tells the same
    if (this.#ending.signal.aborted) return void client.destroy()
    if (this.#clients.size >= this.#limits.maxConnections) {
      this.notes.add('(no request)', 'connection_limit_reached')
      return void client.end(refusalText('connection_limit_reached'))
    }
    this.#clients.add(client)
    client.once('close', () => this.#clients.delete(client))
    // a client may say all it has and then wait for the answer
    client.allowHalfOpen = true
    this.#http.emit('connection', client)
  }

  /** Bytes both ways between the job and a destination, not understood. */
  async #tunnel(asked: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => undefined) // the parser, which listened, has let go of it
    const dialled = await this.#dial(asked, readProxyRequest('CONNECT', asked.url ?? ''))
    if ('refusal' in dialled) return void client.end(refusalText(dialled.refusal))
    const upstream = dialled.socket
    if (client.destroyed) return void upstream.destroy()
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) upstream.write(head)
    this.#guard(client)
    this.#guard(upstream)
    client.pipe(upstream)
    upstream.pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => {
      // what has come is still delivered
      if (upstream.errored === null) client.end()
      else client.destroy()
    })
  }

  /** One plain HTTP request, on a connection of its own; the head is written anew, so nothing hides in it. */
  async #forward(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    answer.on('error', () => undefined) // its close tells the same
    const wanted = readProxyRequest(asked.method ?? '', asked.url ?? '')
    const dialled = await this.#dial(asked, wanted)
    if ('refusal' in dialled) return refuse(asked, answer, dialled.refusal)
    const upstream = dialled.socket
    if (wanted === undefined || answer.destroyed) return void upstream.destroy()
    answer.once('close', () => upstream.destroy())
    const fields = passedOn(asked.rawHeaders, ['host', 'expect'])
    const framing =
      asked.headers['transfer-encoding'] === undefined ? [] : ['Transfer-Encoding', 'chunked']
    const host = ['Host', hostHeader(wanted.destination), 'Connection', 'close']
    const outgoing = request({
      createConnection: () => upstream,
      method: asked.method,
      path: wanted.path,
      headers: [...host, ...framing, ...fields],
    })
    outgoing.on('error', () => {
      if (answer.destroyed || answer.writableEnded) return
      this.notes.add(destinationText(wanted.destination), 'connection_terminated')
      refuse(asked, answer, 'connection_terminated')
    })
    outgoing.on('response', (came) => {
      came.on('error', () => answer.destroy()) // cut off in the middle, which is how the job shall see it
      this.#guard(came)
      answer.writeHead(came.statusCode ?? 502, [...passedOn(came.rawHeaders)])
      came.pipe(answer)
    })
    this.#guard(asked)
    asked.pipe(outgoing)
  }

  async #dial(
    asked: IncomingMessage,
    wanted: ProxyRequest | undefined,
  ): Promise<{ readonly socket: Socket } | { readonly refusal: Refusal }> {
    const refused = (place: string, refusal: Refusal) => {
      this.notes.add(place, refusal)
      return { refusal }
    }
    if (wanted === undefined) return refused(`(${asked.method ?? ''})`, 'http_request_error')
    const place = destinationText(wanted.destination)
    // requests may come several on one connection, and each has one of ours
    const isFull = this.#upstreams.size + this.#dialling >= this.#limits.maxConnections
    if (isFull || !this.#rate.take(performance.now()) || this.#isSpent()) {
      return refused(place, 'connection_limit_reached')
    }
    this.#dialling++
    const dialled = await this.#gate.dial(wanted.destination, this.#ending.signal)
    this.#dialling--
    if ('refusal' in dialled) return refused(place, dialled.refusal)
    this.#keep(dialled.socket)
    return dialled
  }

  #keep(upstream: Socket): void {
    this.#upstreams.add(upstream)
    upstream.on('error', () => undefined) // its close tells the same
    upstream.setTimeout(this.#limits.idleMs, () => upstream.destroy())
    upstream.once('close', () => {
      this.#upstreams.delete(upstream)
      this.#bytesIn += upstream.bytesRead
      this.#bytesOut += upstream.bytesWritten
    })
    if (this.#ending.signal.aborted) upstream.destroy()
  }

  /** Ends everything once the job has moved all the bytes that it may. */
  #guard(stream: NodeJS.ReadableStream): void {
    stream.on('data', () => {
      if (!this.#isSpent()) return
      this.notes.add('(bytes)', 'connection_limit_reached')
      for (const socket of [...this.#clients, ...this.#upstreams]) socket.destroy()
    })
  }

  #isSpent(): boolean {
    const { bytesIn, bytesOut } = this.traffic
    return bytesIn + bytesOut >= this.#limits.maxBytes
  }
}

/** Fields of every refusal: the code for programs, and an end of the connection, whatever else was sent on it. */
function refusalFields(why: Refusal): readonly (readonly [string, string])[] {
  return [
    ['Proxy-Status', `${NAME}; error=${why}`],
    ['Content-Type', 'text/plain'],
    ['Content-Length', String(why.length + 1)],
    ['Connection', 'close'],
  ]
}

function refusalText(why: Refusal): string {
  const fields = refusalFields(why).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${REFUSALS[why]} Refused\r\n${fields.join('')}\r\n${why}\n`
}

function refuse(asked: IncomingMessage, answer: ServerResponse, why: Refusal): void {
  if (answer.headersSent) return void answer.destroy()
  answer.writeHead(REFUSALS[why], 'Refused', refusalFields(why).flat())
  answer.end(`${why}\n`)
  asked.resume()
}
