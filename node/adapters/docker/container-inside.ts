import type { FileHandle } from 'node:fs/promises'
import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import type { Inside } from '../confinement/running-tasks.ts'
import { dialInNamespace } from '../egress/dial-in-namespace.ts'
import { PROXY_PORT } from '../egress/proxy-environment.ts'
import { taskConnection } from '../egress/task-connection.ts'
import { wantsEgress } from '../egress/task-egress.ts'
import { execInContainer } from './container-exec.ts'
import { holdContainerNetwork } from './container-network.ts'
import type { TaskEngine } from './task-engine.ts'

/** The container whose network a task in `container` has; `undefined` where gVisor keeps it to itself. */
export function networkIn(
  on: Pick<TaskEngine, 'engine' | 'runtime' | 'networkOf'>,
  container: Docker.Container,
): Docker.Container | undefined {
  if (on.networkOf !== undefined) return on.engine.getContainer(on.networkOf)
  return on.runtime.includes('runsc') ? undefined : container
}

/**
 * The ways into a container in which a task runs, once it has begun. Variables that are secret stay out: an engine writes
 * those of a program that it is asked for to a file. Disposal closes the way to its ports.
 */
export function containerInside(
  container: Docker.Container,
  task: SandboxTask,
  network: Docker.Container | undefined,
  hasBegun: Promise<boolean>,
): Inside & AsyncDisposable {
  const begun = async () => {
    if (!(await hasBegun)) throw new HiveError('TASK_NOT_RUNNING', { task: task.id })
  }
  const end = new AbortController()
  const held: FileHandle[] = []
  const dialler = dialInNamespace(async () => {
    if (network === undefined) throw new HiveError('ATTACH_UNSUPPORTED', { way: 'forward' })
    const [file = await holdContainerNetwork(network)] = held.splice(0)
    held.push(file)
    return `/proc/${process.pid}/fd/${file.fd}`
  })
  return {
    exec: async (program, options) => {
      await begun()
      const env = { ...task.env, ...program.env }
      const more = { ...options, taskEnd: end.signal }
      return await execInContainer(container, { ...program, env }, more)
    },
    ...(network !== undefined && {
      connect: async (port, { signal }) => {
        // what listens there is this node's own
        if (port === PROXY_PORT && wantsEgress(task))
          throw new HiveError('FORWARD_REFUSED', { port })
        await begun()
        return taskConnection(await dialler.dial(port, signal))
      },
    }),
    [Symbol.asyncDispose]: async () => {
      end.abort()
      await dialler[Symbol.asyncDispose]()
      for (const file of held.splice(0)) await file.close()
    },
  }
}
