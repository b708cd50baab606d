import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { MAX_EGRESS, parsePattern } from '../../node/domain/egress.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { runProgram, textOf, type Program } from './sandbox.ts'

/** What a sandbox is to be opened with: a lab, where names lead where the suite says. */
export interface LabEgress {
  readonly policy: {
    readonly allow: readonly NonNullable<ReturnType<typeof parsePattern>>[]
    readonly private: boolean
  }
  readonly closed: () => readonly { readonly host: string; readonly port: number }[]
  readonly lookup: (host: string) => Promise<readonly string[]>
}

/** What the suite needs of one adapter. */
export interface ConnectedSandbox {
  readonly sandbox: Sandbox
  /** Makes a program of a line of shell, with busybox's tools. */
  readonly shell: (line: string) => Program
  readonly leftovers: () => Promise<readonly string[]>
}

/** Where the names of the suite lead; all others lead nowhere. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'site.example': ['127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'mixed.example': ['169.254.169.254', '::ffff:127.0.0.1', '0.0.0.0', '127.0.0.1'],
}
/** Asks the proxy for each URL by hand, so that the whole answers are seen. */
const ASK =
  'for url; do { printf "GET %s HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n" "$url"; sleep 1; } | nc 127.0.0.1 3128 & done; wait'

/** That a task reaches what it listed and its provider lets through, and nothing else: asked of one adapter. */
export function sandboxKeepsToDestinations(
  name: string,
  open: (egress: LabEgress) => Promise<ConnectedSandbox>,
): void {
  describe(`${name} with destinations`, () => {
    let found: ConnectedSandbox
    let web: HttpServer
    let hidden: Server
    let port = 0
    let hiddenPort = 0
    let visits = 0
    const talking = new Set<Socket>()

    before(async () => {
      web = createHttpServer((request, answer) => {
        if (request.url === '/away') answer.writeHead(302, { Location: 'http://metadata.example/' })
        if (request.url === '/slow') answer.write('begun\n')
        else answer.end(`reached ${request.headers.host ?? ''}\n`)
      })
      web.on('connection', (socket) => {
        talking.add(socket)
        socket.once('close', () => talking.delete(socket))
      })
      hidden = createServer((socket) => {
        visits++
        socket.end('came through')
      })
      for (const server of [web, hidden]) {
        server.listen(0, '0.0.0.0')
        await once(server, 'listening')
      }
      port = (web.address() as AddressInfo).port
      hiddenPort = (hidden.address() as AddressInfo).port
      const allow = [parsePattern('*')].filter((one) => one !== undefined)
      found = await open({
        policy: { allow, private: true },
        closed: () => [{ host: 'localhost', port: hiddenPort }],
        lookup: async (host) => (/^[\d.:]+$/.test(host) ? [host] : (NAMES[host] ?? ['127.0.0.1'])),
      })
    })
    after(async () => {
      await found.sandbox[Symbol.asyncDispose]()
      hidden.close()
      web.close()
      web.closeAllConnections()
    })

    const run = async (line: string, egress: readonly string[], ...args: readonly string[]) => {
      const result = await runProgram(found.sandbox, found.shell(line), args, { egress })
      return { ...result, said: textOf(result.stdout) }
    }

    test('a program that knows nothing of it reaches a listed place through the proxy it is told of', async (t) => {
      if (skipped(t)) return
      const place = `site.example:${port}`
      const { said, detail, usage, exitCode } = await run(
        'wget -q -O - "$1"',
        [place],
        `http://${place}/`,
      )
      assert.equal(said, `reached ${place}\n`)
      assert.equal(exitCode, 0)
      assert.equal(detail, '')
      assert.ok(usage.bytesIn > said.length && usage.bytesOut > said.length)
    })

    test('any protocol goes through CONNECT', async (t) => {
      if (skipped(t)) return
      const place = `site.example:${port}`
      const { said } = await run(
        '{ printf "CONNECT %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" "$1"; sleep 1; printf "GET /in HTTP/1.0\\r\\n\\r\\n"; } | nc 127.0.0.1 3128',
        [place],
        place,
      )
      assert.match(said, /^HTTP\/1\.1 200 [^]*reached \n$/)
    })

    test('what is not listed is refused with a code, which the result tells', async (t) => {
      if (skipped(t)) return
      const place = `127.0.0.1:${port}`
      const { said, detail } = await run(ASK, [`site.example:${port}`], `http://${place}/`)
      assert.match(said, /^HTTP\/1\.1 403 [^]*http_request_denied\n$/)
      assert.equal(detail, `connections refused: ${place} http_request_denied`)
    })

    test('a name that leads to metadata is refused by its address; of several the harmless is called', async (t) => {
      if (skipped(t)) return
      const inwards = `metadata.example:${port}`
      const { said } = await run(ASK, [inwards], `http://${inwards}/`)
      assert.match(said, /^HTTP\/1\.1 403 [^]*destination_ip_prohibited\n$/)
      const mixed = `mixed.example:${port}`
      assert.match((await run(ASK, [mixed], `http://${mixed}/`)).said, /reached mixed\.example/)
    })

    test('a redirect leads nowhere that is not listed', async (t) => {
      if (skipped(t)) return
      const place = `site.example:${port}`
      const { said, detail, exitCode } = await run(
        'wget -O - "$1" 2>&1',
        [place, 'metadata.example:80'],
        `http://${place}/away`,
      )
      assert.notEqual(exitCode, 0)
      assert.doesNotMatch(said, /reached/)
      assert.match(detail, /metadata\.example:80 destination_ip_prohibited/)
    })

    test('the node’s own services are out of reach, listed or not', async (t) => {
      if (skipped(t)) return
      const hosts = ['127.0.0.1', 'site.example', 'mixed.example', ...addressesHere()]
      const places = hosts.slice(0, MAX_EGRESS).map((host) => `${host}:${hiddenPort}`)
      const { said } = await run(ASK, places, ...places.map((place) => `http://${place}/`))
      assert.equal(said.match(/^HTTP\/1\.1 403 /gm)?.length, places.length)
      assert.match(said, /destination_ip_prohibited/)
      assert.equal(visits, 0)
    })

    test('past the proxy there is no way: no address, no name, no other loopback', async (t) => {
      if (skipped(t)) return
      const { said } = await run(
        'for host in 127.0.0.1 "$2" 169.254.169.254 8.8.8.8; do for port in "$1" 53; do nc -w 1 $host $port </dev/null && echo through; done; done; nslookup site.example 127.0.0.1 && echo through; tail -n +2 /proc/net/route | sed "s/^/through /"',
        [`site.example:${port}`],
        String(hiddenPort),
        addressesHere()[0] ?? '127.0.0.1',
      )
      assert.doesNotMatch(said, /through/)
      assert.equal(visits, 0)
    })

    test('a task without destinations sees no proxy and no word of one', async (t) => {
      if (skipped(t)) return
      const { said } = await run('nc -w 1 127.0.0.1 3128 </dev/null && echo there; env', [])
      assert.doesNotMatch(said, /there|proxy|3128/i)
    })

    test('two tasks have two proxies, each with its own list', async (t) => {
      if (skipped(t)) return
      const [one, other] = [`site.example:${port}`, `mixed.example:${port}`]
      const [first, second] = await Promise.all([
        run(ASK, [one], `http://${other}/`),
        run(ASK, [other], `http://${other}/`),
      ])
      assert.match(first.said, /http_request_denied/)
      assert.match(second.said, /reached/)
    })

    test('its variables are the task’s to set', async (t) => {
      if (skipped(t)) return
      const { stdout } = await runProgram(found.sandbox, found.shell('echo "$http_proxy"'), [], {
        egress: [`site.example:${port}`],
        env: { http_proxy: 'mine' },
      })
      assert.equal(textOf(stdout), 'mine\n')
    })

    test('a task that is told a secret has its proxy too', async (t) => {
      if (skipped(t)) return
      const place = `site.example:${port}`
      const { stdout } = await runProgram(
        found.sandbox,
        found.shell('echo "$TOKEN"; wget -q -O - "$1"'),
        [`http://${place}/`],
        { egress: [place], secrets: { env: { TOKEN: 'told' }, files: [] } },
      )
      assert.equal(textOf(stdout), `told\nreached ${place}\n`)
    })

    test('a killed task’s connections are ended with it', async (t) => {
      if (skipped(t)) return
      const place = `site.example:${port}`
      const stop = new AbortController()
      const { reason } = await runProgram(
        found.sandbox,
        found.shell('wget -q -O - "$1"'),
        [`http://${place}/slow`],
        {
          egress: [place],
          signal: stop.signal,
          onOutput: () => {
            stop.abort()
          },
        },
      )
      assert.equal(reason, 'killed')
      await Promise.all([...talking].map((socket) => once(socket, 'close')))
    })

    test('where no program can reach a proxy, a task with destinations is start-failed', async (t) => {
      if (found.sandbox.hasEgress === true) {
        t.skip('skipped: tasks can reach theirs here')
        return
      }
      const { reason, said } = await run('echo ran', [`site.example:${port}`])
      assert.equal(reason, 'start-failed')
      assert.equal(said, '')
    })

    // Last, because nothing runs after it.
    test('disposal leaves nothing behind', async () => {
      await found.sandbox[Symbol.asyncDispose]()
      assert.deepEqual(await found.leftovers(), [])
    })

    function skipped(t: { skip(why: string): void }): boolean {
      if (found.sandbox.hasEgress === true) return false
      t.skip(`skipped: programs under ${found.sandbox.isolation} cannot reach a proxy here`)
      return true
    }
  })
}

function addressesHere(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((one) => one ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
}
