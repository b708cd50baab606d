import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import type { Command } from 'commander'
import type { ForwardBody } from '../../api/schemas/attach.ts'
import type { FrameSocket } from '../../api/frame-socket.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import { isPort, piecesOf } from '../../protocol/attach.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import type { NodeClient } from '../node-client.ts'
import { printJson, printLine } from '../output/printing.ts'
import type { CliParts } from '../parts.ts'
import { parseTaskName, type TaskName } from '../task-name.ts'

/** Failures of one connection, after which the next may do better. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FORWARD_REFUSED',
  'ATTACH_LIMIT',
  'PEER_QUOTA',
  'STREAM_CUT',
])

/** A local port, and the one inside a task that it leads to. */
interface Mapping {
  readonly local: number
  readonly remote: number
}

/** `hive forward`: ports of a task that runs, on this machine. */
export function forwardCommand(parts: CliParts): Command {
  return command({
    usage: 'forward <task> <ports...>',
    description: 'Make ports inside a task that runs reachable on 127.0.0.1, until interrupted',
    examples: ['forward 0x3fa2 8080:80', 'forward 0x3fa2/7 8888', 'forward 0x3fa2 :5432'],
  })
    .argument('<task>', 'JOB, or JOB/TASK where the job has several')
    .argument(
      '<ports...>',
      'LOCAL:REMOTE, PORT for the same on both sides, :REMOTE for any local one',
    )
    .action(async (name: string, ports: string[], options: CommonOptions) => {
      const { node, json } = contextOf(parts, options)
      const task = parseTaskName(name)
      const mappings = ports.map(parseMapping)
      const client = await node()
      using stop = interruptible(parts)
      const failed = Promise.withResolvers<never>()
      await using open = new AsyncDisposableStack()
      for (const mapping of mappings) {
        const serve = async (socket: Socket) => carry(client, task, mapping, socket, stop.signal)
        const onError = (error: unknown) => {
          if (!PASSING.has(codeOf(error))) failed.reject(error)
          return printLine(parts.stderr, `hive: port ${mapping.remote}: ${codeOf(error)}`)
        }
        const { local } = open.use(await listen(mapping, serve, onError))
        if (json) await printJson(parts.stdout, { local, remote: mapping.remote })
        else await printLine(parts.stdout, `127.0.0.1:${local} leads to port ${mapping.remote}`)
      }
      const ended = Promise.withResolvers<void>()
      stop.signal.addEventListener('abort', () => ended.resolve())
      if (stop.signal.aborted) ended.resolve()
      await Promise.race([ended.promise, failed.promise])
    })
}

function parseMapping(text: string): Mapping {
  const [, local = '', remote = local] = /^(\d{0,5})(?::(\d{1,5}))?$/.exec(text) ?? []
  const ports = { local: Number(local), remote: Number(remote) }
  if (!isPort(ports.remote) || (local !== '' && !isPort(ports.local)))
    throw new HiveError('INPUT_INVALID', { problems: [`${text}: not LOCAL:REMOTE`] })
  return ports
}

/** Takes connections on the loopback. Disposal ends them. Throws `PORT_IN_USE`. */
async function listen(
  { local: port }: Mapping,
  serve: (socket: Socket) => Promise<void>,
  onError: (error: unknown) => Promise<void>,
): Promise<AsyncDisposable & { readonly local: number }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    serve(socket)
      .catch(async (error: unknown) => {
        socket.resetAndDestroy()
        await onError(error)
      })
      .catch(() => undefined) // nobody reads what this command prints
  })
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (cause) {
    throw new HiveError('PORT_IN_USE', { port }, { cause })
  }
  return {
    local: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** One connection, each direction to its own end. */
async function carry(
  client: NodeClient,
  { job, task }: TaskName,
  { remote }: Mapping,
  socket: Socket,
  signal: AbortSignal,
): Promise<void> {
  const request: ForwardBody = { ...(task !== undefined && { task }), port: remote }
  using line = await client.upgraded(`/v1/jobs/${job}/forward`, request, { signal })
  const leave = () => line[Symbol.dispose]()
  signal.addEventListener('abort', leave, { once: true })
  try {
    // empty: the connection is made
    await line.read()
    const down = fromTask(line, socket)
    const up = toTask(socket, line).catch((error: unknown) => {
      leave()
      throw error
    })
    await Promise.all([down, up])
  } catch (error) {
    if (!signal.aborted && !socket.destroyed) throw error
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

async function fromTask(line: FrameSocket, socket: Socket): Promise<void> {
  for (let bytes = await line.read(); bytes !== undefined; bytes = await line.read()) {
    if (socket.write(bytes)) continue
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('drain', resolve).once('close', resolve)
    await promise
    socket.off('drain', resolve).off('close', resolve)
  }
  socket.end()
}

async function toTask(socket: Socket, line: FrameSocket): Promise<void> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false }))
    for (const bytes of piecesOf(chunk as Buffer)) await line.write(bytes)
  await line.end()
}
