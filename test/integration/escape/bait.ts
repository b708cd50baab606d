import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { createSocket } from 'node:dgram'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a job is after: things of the host that it must neither read, reach nor end. */
export interface Bait extends AsyncDisposable {
  /** Stands in the file, and in the words and the environment of the process. */
  readonly token: string
  readonly file: string
  /** A TCP server on the loopback, as the node's own API is one. */
  readonly port: number
  readonly udpPort: number
  /** Sockets by path, as a container engine has one, and by abstract name. */
  readonly socketPath: string
  readonly abstractName: string
  /** How often anyone came through any of them. */
  readonly visits: () => number
  /** Whether the process still runs. */
  readonly isAlive: () => boolean
}

/** Lays out the bait on this machine. */
export async function layBait(): Promise<Bait> {
  await using made = new AsyncDisposableStack()
  const token = `bait-${randomUUID()}`
  const folder = await mkdtemp(join(tmpdir(), 'hive-bait-'))
  made.defer(() => rm(folder, { recursive: true }))
  const file = join(folder, 'secret')
  // readable for everyone: it is the walls that are tested here, not the rights on one file
  await writeFile(file, token, { mode: 0o644 })
  let visits = 0
  const listen = async (where: Parameters<Server['listen']>[0]): Promise<Server> => {
    const server = createServer((socket) => {
      visits++
      socket.end(token)
    })
    server.listen(where)
    await once(server, 'listening')
    made.defer(() => new Promise((resolve) => server.close(() => resolve())))
    return server
  }
  const tcp = await listen({ host: '127.0.0.1', port: 0 })
  const socketPath = join(folder, 'engine.sock')
  await listen({ path: socketPath })
  const abstractName = token
  await listen({ path: `\0${abstractName}` })
  const udp = createSocket('udp4', () => visits++)
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  made.defer(() => new Promise((resolve) => udp.close(() => resolve())))
  const victim = spawn('sleep', ['1000'], { env: { TOKEN: token }, argv0: token, stdio: 'ignore' })
  await once(victim, 'spawn')
  made.defer(async () => {
    const gone = once(victim, 'exit')
    if (victim.kill('SIGKILL')) await gone
  })
  const owned = made.move()
  return {
    token,
    file,
    port: (tcp.address() as AddressInfo).port,
    udpPort: udp.address().port,
    socketPath,
    abstractName,
    visits: () => visits,
    isAlive: () => victim.exitCode === null && victim.signalCode === null,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
