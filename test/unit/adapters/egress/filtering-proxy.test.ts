import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { parsePattern } from '../../../../node/domain/egress.ts'
import { EgressGate, type Egress } from '../../../../node/adapters/egress/egress-gate.ts'
import {
  FilteringProxy,
  type PROXY_DEFAULTS,
} from '../../../../node/adapters/egress/filtering-proxy.ts'

const made = new AsyncDisposableStack()
after(() => made.disposeAsync())

/** A lab: everything that can be named is allowed, private addresses too. */
const LAB: Egress['policy'] = { allow: [parsePattern('*')].filter((one) => !!one), private: true }

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  made.defer(async () => {
    server.close()
    if ('closeAllConnections' in server)
      (server as { closeAllConnections(): void }).closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

const httpServer = (listener: (asked: IncomingMessage, answer: ServerResponse) => unknown) =>
  listening(createHttpServer((asked, answer) => void listener(asked, answer)))

async function proxyFor(
  destinations: readonly string[],
  egress: Partial<Egress> = {},
  limits: Partial<typeof PROXY_DEFAULTS> = {},
): Promise<{ proxy: FilteringProxy; port: number }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gate = new EgressGate({ policy: LAB, ...egress }, destinations)
  const proxy = made.use(new FilteringProxy({ server, gate }, limits))
  return { proxy, port: (server.address() as AddressInfo).port }
}

/** Sends `words` as they are and gives all that comes back; `isAll` tells the other side that no more will come. */
async function say(port: number, words: string, isAll = false): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: isAll })
  socket.write(words, 'latin1')
  if (isAll) socket.end()
  return await text(socket)
}

async function tunnel(port: number, place: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(answer), /^HTTP\/1\.1 200 /)
  return socket
}

/** Waits for the end, in peace or not. */
const ended = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket
      .resume()
      .on('error', () => undefined)
      .on('close', () => {
        resolve()
      })
  })

const get = (url: string, more = '') =>
  `GET ${url} HTTP/1.1\r\nHost: decoy.example\r\n${more}Connection: close\r\n\r\n`

describe('the filtering proxy', () => {
  test('a tunnel carries bytes both ways, and what it carried is counted', async () => {
    const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))
    const place = `127.0.0.1:${await listening(echo)}`
    const { proxy, port } = await proxyFor([place])
    const socket = await tunnel(port, place)
    socket.end('there and back')
    assert.equal(await text(socket), 'there and back')
    assert.deepEqual(proxy.traffic, { bytesIn: 14, bytesOut: 14 })
    assert.equal(proxy.notes.text, '')
  })

  test('bytes that follow CONNECT at once are not lost, nor is an answer after the job has said all', async () => {
    const upper = createServer({ allowHalfOpen: true }, (socket) => {
      void text(socket).then((all) => socket.end(all.toUpperCase()))
    })
    const place = `127.0.0.1:${await listening(upper)}`
    const { port } = await proxyFor([place])
    const answer = await say(port, `CONNECT ${place} HTTP/1.1\r\nHost: x\r\n\r\nearly words`, true)
    assert.match(answer, /^HTTP\/1\.1 200 [^\r]*\r\n\r\nEARLY WORDS$/)
  })

  test('plain HTTP arrives with its own path, body and Host, and without the connection’s fields', async () => {
    const web = await httpServer(async (request, answer) => {
      const { url, method, headers } = request
      answer.writeHead(201, { 'X-Mine': 'yes', 'Keep-Alive': 'timeout=9' })
      answer.end(JSON.stringify({ url, method, headers, body: await text(request) }))
    })
    const place = `127.0.0.1:${web}`
    const { port } = await proxyFor([place])
    const answer = await say(
      port,
      `POST http://${place}/a?b=c HTTP/1.1\r\nHost: decoy.example\r\nX-Kept: 1\r\nX-Named: 1\r\nProxy-Authorization: Basic eDp5\r\nTransfer-Encoding: chunked\r\nConnection: close, X-Named\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 201 /)
    assert.match(answer, /x-mine: yes/i)
    assert.doesNotMatch(answer, /timeout=9/i)
    const seen = JSON.parse(/\{.*\}/.exec(answer)?.[0] ?? '') as Record<string, unknown>
    assert.equal(seen['url'], '/a?b=c')
    assert.equal(seen['method'], 'POST')
    assert.equal(seen['body'], 'body')
    const headers = seen['headers'] as Record<string, string>
    assert.equal(headers['host'], place)
    assert.equal(headers['x-kept'], '1')
    assert.equal(headers['x-named'], undefined)
    assert.equal(headers['proxy-authorization'], undefined)
  })

  test('what the job did not list, or the provider does not let through, is 403 with a code', async () => {
    let visits = 0
    const web = await httpServer((_request, answer) => {
      visits++
      answer.end('reached')
    })
    const { proxy, port } = await proxyFor([`localhost:${web}`, 'other.example:1'], {
      policy: { allow: [parsePattern('other.example:1')].filter((one) => !!one), private: true },
    })
    for (const place of [`127.0.0.1:${web}`, `localhost:${web}`, `LOCALHOST.:${web}`]) {
      for (const words of [
        get(`http://${place}/`),
        `CONNECT ${place} HTTP/1.1\r\nHost: x\r\n\r\n`,
      ]) {
        const answer = await say(port, words)
        assert.match(answer, /^HTTP\/1\.1 403 /)
        assert.match(answer, /Proxy-Status: computehive; error=http_request_denied\r\n/)
        assert.match(answer, /\r\n\r\nhttp_request_denied\n$/)
      }
    }
    assert.equal(visits, 0)
    assert.match(proxy.notes.text, new RegExp(`localhost:${web} http_request_denied \\(4\\)`))
  })

  test('a name that leads inwards is refused by its address, whichever record it is in', async () => {
    let visits = 0
    const web = await httpServer((_request, answer) => {
      visits++
      answer.end('reached')
    })
    const inwards =
      '127.0.0.1 10.0.0.1 169.254.169.254 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 0.0.0.0 fe80::1 fd00::1 192.168.1.1 100.64.0.1 224.0.0.1 2002:7f00:1:: not-an-address'
    const place = `rebinding.example:${web}`
    const { port } = await proxyFor([place], {
      policy: { ...LAB, private: false },
      lookup: async () => inwards.split(' '),
    })
    assert.match(await say(port, get(`http://${place}/`)), /destination_ip_prohibited/)
    assert.equal(visits, 0)
  })

  test('a name is looked up once for a connection, and the address that was judged is called', async () => {
    const web = await httpServer((_request, answer) => answer.end('reached'))
    const place = `rebinding.example:${web}`
    const answers = [['127.0.0.1'], ['169.254.169.254'], ['169.254.169.254', '127.0.0.1']]
    let lookups = 0
    const { port } = await proxyFor([place], { lookup: async () => answers[lookups++] ?? [] })
    assert.match(await say(port, get(`http://${place}/`)), /reached/)
    assert.equal(lookups, 1)
    assert.match(await say(port, get(`http://${place}/`)), /destination_ip_prohibited/)
    assert.match(await say(port, get(`http://${place}/`)), /reached/)
    assert.match(await say(port, get(`http://${place}/`)), /^HTTP\/1\.1 502 [^]*dns_error/)
  })

  test('the machine’s own addresses are closed where private ones are, and the node’s own services always', async () => {
    const web = await httpServer((_request, answer) => answer.end('reached'))
    const place = `127.0.0.1:${web}`
    const other = `lab.example:${web}`
    const { port } = await proxyFor([place, other], {
      closed: () => [{ host: 'localhost', port: web }],
      lookup: async (host) => (host === 'lab.example' ? ['127.0.0.2'] : ['127.0.0.1', '::1']),
    })
    assert.match(await say(port, get(`http://${place}/`)), /destination_ip_prohibited/)
    assert.match(await say(port, get(`http://${other}/`)), /destination_ip_prohibited/)
    const elsewhere = await proxyFor([place], { closed: () => [{ host: 'localhost', port: 1 }] })
    assert.match(await say(elsewhere.port, get(`http://${place}/`)), /reached/)
  })

  test('a redirect is the job’s to follow, and leads nowhere that it did not list', async () => {
    const web = await httpServer((_request, answer) => {
      answer.writeHead(302, { Location: 'http://169.254.169.254/latest/meta-data/' }).end()
    })
    const place = `127.0.0.1:${web}`
    const { port } = await proxyFor([place, '169.254.169.254:80'])
    const answer = await say(port, get(`http://${place}/`))
    const location = /\r\nLocation: (\S+)/i.exec(answer)?.[1] ?? ''
    assert.equal(location, 'http://169.254.169.254/latest/meta-data/')
    assert.match(await say(port, get(location)), /^HTTP\/1\.1 403 /)
  })

  test('smuggled, broken and oversized requests are answered 400 or cut, and reach nobody', async () => {
    const heard: string[] = []
    const sink = createServer((socket) => {
      socket.on('data', (chunk) => heard.push(String(chunk)))
      socket.end()
    })
    const place = `127.0.0.1:${await listening(sink)}`
    const { port } = await proxyFor([place])
    const start = `POST http://${place}/ HTTP/1.1\r\n`
    const attacks = [
      `${start}Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled`,
      `${start}Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
      `${start}Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
      `${start}Host: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `${start}Host: x\r\nX: a\rGET /smuggled\r\n\r\n`,
      `${start}Host : x\r\n\r\n`,
      `${start}Host: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      `GET http://${place}/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${place}\r\n\r\n`,
      `GET https://${place}/ HTTP/1.1\r\nHost: ${place}\r\n\r\n`,
      `CONNECT http://${place}/ HTTP/1.1\r\nHost: x\r\n\r\n`,
      '\x16\x03\x01\x02\0\x01\0',
      '\x05\x01\0',
    ]
    for (const words of attacks) {
      const answer = await say(port, words)
      assert.match(answer, /^HTTP\/1\.1 400 /, JSON.stringify(words.slice(0, 90)))
    }
    assert.deepEqual(heard, [])
  })

  test('connections, requests on one connection, openings in a time and bytes all have an end', async () => {
    const held: Socket[] = []
    const silent = createServer((socket) => {
      held.push(socket.on('error', () => undefined))
      if (held.length !== 4) return
      for (const one of held) one.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const place = `127.0.0.1:${await listening(silent)}`
    const { proxy, port } = await proxyFor([place], {}, { maxConnections: 4, maxBytes: 100_000 })
    const pipelined = get(`http://${place}/`).replace('close', 'keep-alive').repeat(5)
    const answers = (await say(port, pipelined)).match(/^HTTP\/1\.1 \d+/gm)
    assert.deepEqual(answers, [...Array<string>(4).fill('HTTP/1.1 200'), 'HTTP/1.1 429'])
    assert.equal(held.length, 4)
    assert.match(proxy.notes.text, /connection_limit_reached/)
    const open = await Promise.all([1, 2, 3].map(() => tunnel(port, place)))
    const [first] = open
    first?.write(Buffer.alloc(200_000))
    await Promise.all(open.map(ended))
    assert.match(await say(port, get(`http://${place}/`)), /^HTTP\/1\.1 429 /)
  })

  test('a connection on which nothing moves is ended', async () => {
    const silent = createServer(() => undefined)
    const place = `127.0.0.1:${await listening(silent)}`
    const { port } = await proxyFor([place], {}, { idleMs: 50 })
    const socket = await tunnel(port, place)
    await ended(socket)
  })

  test('a server that is not there, or goes away, is told apart from a refusal', async () => {
    const gone = createServer()
    const port1 = await listening(gone)
    gone.close()
    const cut = createServer((socket) => socket.on('data', () => socket.destroy()))
    const port2 = await listening(cut)
    const { port } = await proxyFor([`127.0.0.1:${port1}`, `127.0.0.1:${port2}`])
    const first = await say(port, get(`http://127.0.0.1:${port1}/`))
    assert.match(first, /^HTTP\/1\.1 502 [^]*connection_refused\n$/)
    const second = await say(port, get(`http://127.0.0.1:${port2}/`))
    assert.match(second, /^HTTP\/1\.1 502 [^]*connection_terminated\n$/)
  })

  test('disposal ends every connection and listens no more', async () => {
    const over = Promise.withResolvers<void>()
    const silent = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('close', () => {
          over.resolve()
        })
    })
    const place = `127.0.0.1:${await listening(silent)}`
    const { proxy, port } = await proxyFor([place])
    const socket = await tunnel(port, place)
    const closed = ended(socket)
    await proxy[Symbol.asyncDispose]()
    await Promise.all([closed, over.promise])
    const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNREFUSED')
  })
})
