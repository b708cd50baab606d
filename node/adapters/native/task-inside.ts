import { mkdir } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { HiveError } from '../../domain/errors.ts'
import { second } from '../../domain/units.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { environment } from '../confinement/program-line.ts'
import type { Inside } from '../confinement/running-tasks.ts'
import { dialInNamespace } from '../egress/dial-in-namespace.ts'
import { PROXY_PORT } from '../egress/proxy-environment.ts'
import { taskConnection } from '../egress/task-connection.ts'
import { wantsEgress } from '../egress/task-egress.ts'
import type { ImageConfig } from '../image/image-config.ts'
import type { Architecture } from '../image/tiny-program.ts'
import { OutputPipes } from './output-pipes.ts'
import type { Stage } from './stage.ts'
import { execInside } from './task-exec.ts'
import type { TaskGroup } from './task-groups.ts'
import { holdSpaces, type TaskSpaces } from './task-spaces.ts'
import { STAGE, STAGE_ROOT } from './task-workspace.ts'

/** A task of a native sandbox, as those who enter it need it. */
export interface NativeTask {
  readonly task: SandboxTask
  readonly image: ImageConfig
  readonly workingDir: string
  readonly group: TaskGroup
  readonly stage: Pick<Stage, 'reach'>
  readonly architecture: Architecture
  /** Path of its system call filter. */
  readonly filterPath: string
}

/** For what those who enter are given, on the stage: its name says nothing of this machine, and it goes with the task. */
const ENTRIES = `${STAGE}/entries`
/** How often a task whose walls do not stand yet is looked at again, ms. */
const WALLS_INTERVAL_MS = 10
/** How long that may take, ms: a busy machine may take seconds to start a process. */
const WALLS_PATIENCE_MS: number = 20 * second

/**
 * The ways into a task that bubblewrap holds. Variables that are secret stay out, as they do in every sandbox. Disposal
 * ends what was started inside: nothing is left in the group.
 */
export function nativeInside(on: NativeTask): Inside & AsyncDisposable {
  const { task, image, group, stage } = on
  const end = new AbortController()
  const running = new Set<AsyncDisposable>()
  const starting = new Set<Promise<unknown>>()
  const folder = stage.reach(ENTRIES)
  const pipes = new OutputPipes({ folder })
  let held: Promise<TaskSpaces> | undefined
  const enter = async () => {
    const spaces = await walled(on, end.signal)
    await mkdir(folder, { mode: 0o700 })
    return spaces
  }
  const spaces = async (signal: AbortSignal) => {
    const either = AbortSignal.any([signal, end.signal])
    const late = Promise.withResolvers<never>()
    const onAbort = () => {
      late.reject(new HiveError(end.signal.aborted ? 'TASK_NOT_RUNNING' : 'CANCELLED'))
    }
    if (either.aborted) onAbort()
    either.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([(held ??= enter()), late.promise])
    } finally {
      either.removeEventListener('abort', onAbort)
    }
  }
  const dialler = dialInNamespace(async () => {
    const { files } = await spaces(end.signal)
    return `/proc/${process.pid}/fd/${files.net.fd}`
  })
  const { secrets: _, ...open } = task
  return {
    exec: async (program, options) => {
      const place = { ...on, folder, pipes, joins: group.joins, taskEnd: end.signal }
      const env = { ...environment(open, image), ...program.env }
      const start = spaces(options.signal).then((entered) =>
        execInside({ ...place, spaces: entered }, { ...program, env }, options),
      )
      starting.add(start)
      try {
        const session = await start
        running.add(session)
        return {
          ...session,
          [Symbol.asyncDispose]: async () => {
            await session[Symbol.asyncDispose]()
            running.delete(session)
          },
        }
      } catch (error) {
        // the stage went away under what was being made there
        if (end.signal.aborted) throw new HiveError('TASK_NOT_RUNNING', {}, { cause: error })
        throw error
      } finally {
        starting.delete(start)
      }
    },
    connect: async (port, { signal }) => {
      // what listens there is this node's own
      if (port === PROXY_PORT && wantsEgress(task)) throw new HiveError('FORWARD_REFUSED', { port })
      await spaces(signal)
      return taskConnection(await dialler.dial(port, signal))
    },
    [Symbol.asyncDispose]: async () => {
      end.abort()
      await dialler[Symbol.asyncDispose]()
      await Promise.allSettled(starting)
      for (const session of running) await session[Symbol.asyncDispose]()
      const last = await held?.catch(() => undefined)
      await last?.[Symbol.asyncDispose]()
    },
  }
}

/**
 * Waits for the walls of a task.
 * @throws HiveError TASK_NOT_RUNNING when it ends before, ATTACH_UNSUPPORTED when they are never seen
 */
async function walled({ group, stage }: NativeTask, end: AbortSignal): Promise<TaskSpaces> {
  const deadline = performance.now() + WALLS_PATIENCE_MS
  while (!end.aborted && performance.now() < deadline) {
    const found = await holdSpaces(group, stage.reach(STAGE_ROOT))
    if (found !== undefined) return found
    await pause(WALLS_INTERVAL_MS)
  }
  if (end.aborted) throw new HiveError('TASK_NOT_RUNNING')
  throw new HiveError('ATTACH_UNSUPPORTED', { reason: 'its namespaces cannot be entered here' })
}
