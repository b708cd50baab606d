import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { HiveError } from '../../domain/errors.ts'
import type { Duplex, OpenDuplex } from '../../ports/conversations.ts'
import { bothWays } from '../../services/both-ways.ts'
import type { App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { FRAMES_PROTOCOL, type FrameSocket } from '../frame-socket.ts'
import { ExecBody, ForwardBody } from '../schemas/attach.ts'
import type { UpgradedRoutes } from '../upgrades.ts'

const ById = Type.Object({ id: Type.String({ pattern: '^0x[0-9a-f]{2,64}$' }) })

/** Ways into running tasks, for connections that are upgraded; asked for otherwise they say so. */
export function attachRoutes(app: App, { attaching }: RouteContext): UpgradedRoutes {
  const upgraded = `over a connection upgraded to ${FRAMES_PROTOCOL}: docs/attach.md`
  for (const [name, summary] of [
    ['exec', 'Runs a program inside a task that runs'],
    ['forward', 'Connects to a port inside a task that runs'],
  ] as const)
    app.get(
      `/v1/jobs/:id/${name}`,
      { schema: { summary: `${summary}, ${upgraded}`, params: ById } },
      async () => {
        const problems = [`headers.upgrade: must be ${FRAMES_PROTOCOL}`]
        throw new HiveError('INPUT_INVALID', { problems })
      },
    )
  return {
    exec: async (job, socket, signal) => {
      const { task, env = {}, ...program } = await firstFrame(socket, ExecBody)
      using line = await attaching.exec({ job, task }, { ...program, env }, signal)
      await relay(socket, line, 'down')
    },
    forward: async (job, socket, signal) => {
      const { task, port } = await firstFrame(socket, ForwardBody)
      using line = await attaching.forward({ job, task }, port, signal)
      await relay(socket, line, 'both')
    },
  }
}

async function firstFrame<T extends TSchema>(socket: FrameSocket, schema: T): Promise<Static<T>> {
  const bytes = (await socket.read()) ?? new Uint8Array()
  let said: unknown
  try {
    said = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    // the schema refuses it below
  }
  if (Value.Check(schema, said)) return said
  const problems = Value.Errors(schema, said).map(
    ({ instancePath, message }) => `request${instancePath.replaceAll('/', '.')}: ${message}`,
  )
  throw new HiveError('INPUT_INVALID', { problems: problems.slice(0, 10) })
}

/** Passes frames on until what comes from the task has ended, and for `both` what goes there too. */
async function relay(socket: FrameSocket, line: OpenDuplex, until: 'down' | 'both'): Promise<void> {
  const down = pass(line, socket)
  const up = pass(socket, line)
  // the socket stays until what went wrong has been told
  const stop = () => line[Symbol.dispose]()
  if (until === 'both') return bothWays([down.catch(told), up], stop)
  // a caller that left takes its program with it
  up.catch(() => line[Symbol.dispose]())
  await down.catch(told)
  await line.end()

  async function told(error: unknown): Promise<never> {
    await socket.fail(error)
    throw error
  }
}

async function pass(from: Duplex, to: Duplex): Promise<void> {
  for (let frame = await from.read(); frame !== undefined; frame = await from.read())
    await to.write(frame)
  await to.end()
}
