import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a link does to bytes. `stalled`: they wait; `down`: connections end, and new ones too. */
export type LinkState = 'fine' | 'slow' | 'stalled' | 'down'

/** A TCP link to one node that all its peers use. */
export interface LinkProxy extends AsyncDisposable {
  readonly port: number
  set(state: LinkState): void
}

/** How long a piece takes on a slow link, ms. */
const SLOW_MS = 150

/** A link on loopback to what listens at `port`. */
export async function openLinkProxy(port: number): Promise<LinkProxy> {
  const ends = new Set<Socket>()
  let state: LinkState = 'fine'
  let fine = Promise.withResolvers<void>()
  fine.resolve()
  const pass = async (from: Socket, to: Socket) => {
    for await (const piece of from as AsyncIterable<Buffer>) {
      await fine.promise
      if (state === 'slow') await sleep(SLOW_MS)
      if (!to.write(piece)) await once(to, 'drain')
    }
    to.end()
  }
  const server = createServer((near) => {
    if (state === 'down') return void near.destroy()
    const far = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        ends.delete(one)
        other.destroy()
      })
      pass(one, other).catch(() => other.destroy()) // a connection that is cut ends both ways
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      state = next
      fine.resolve()
      if (next === 'stalled') fine = Promise.withResolvers<void>()
      if (next === 'down') for (const each of ends) each.destroy()
    },
    async [Symbol.asyncDispose]() {
      fine.resolve()
      for (const each of ends) each.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
