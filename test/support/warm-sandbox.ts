import { planFolders } from '../../node/adapters/confinement/task-folders.ts'
import { usableLimits } from '../../node/adapters/confinement/usable-limits.ts'
import { openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { shapeOf } from '../../node/adapters/docker/warm-shape.ts'
import type { LogData } from '../../node/ports/logger.ts'
import type { RunOptions, Sandbox, SandboxTask } from '../../node/ports/sandbox.ts'
import { SOCKET_PATH } from './docker-programs.ts'
import { quietLogger } from './quiet-logger.ts'

/** A docker sandbox in which every task that can gets a container that was made beforehand. */
export interface WarmTestSandbox {
  readonly sandbox: Sandbox
  readonly nodeId: string
  /** Tasks that got such a container so far. */
  readonly taken: () => number
}

let opened = 0

/**
 * Opens one. Before each task it has another of the same shape start and fail, unless a container waits, and then waits
 * until one does.
 */
export async function openWarmSandbox(runtime: string): Promise<WarmTestSandbox> {
  const nodeId = `warm-test-${process.pid}-${++opened}`
  /** How many wait, by shape without the image. */
  const waiting = new Map<string, number>()
  const wanted = new Map<string, PromiseWithResolvers<void>>()
  let taken = 0
  const quiet = quietLogger()
  const hear = (message: string, data: LogData = {}) => {
    const kind = withoutImage(String(data['kind']))
    const count = waiting.get(kind) ?? 0
    if (message === 'a container was made beforehand') waiting.set(kind, count + 1)
    else if (message === 'a waiting container was taken') {
      taken++
      waiting.set(kind, count - 1)
      return
    }
    wanted.get(kind)?.resolve()
    wanted.delete(kind)
  }
  const sandbox = await openDockerSandbox(
    { logger: { ...quiet, child: () => ({ ...quiet, debug: hear, warn: hear }) } },
    {
      nodeId,
      socketPath: SOCKET_PATH,
      runtime,
      warm: { most: 4, mostOfKind: 1, usesForOne: 1, restockMs: 0, leastFreeBytes: 0 },
    },
  )
  if (sandbox === undefined) throw new Error(`the engine does not run ${runtime} containers`)
  const primed = async (kind: string, task: SandboxTask, options: RunOptions) => {
    const { promise } = getOrAdd(wanted, kind)
    const files = task.files.map(({ path }) => ({ path, bytes: new Uint8Array() }))
    const none = { args: ['/no/such/program'], stdin: new Uint8Array(), env: {}, files }
    const first = await sandbox.run({ ...task, ...none, id: `${task.id} first` }, options)
    if (first.reason === 'killed' || first.reason === 'image-bad') return first
    // unless its image could not be had, a container will come of it, or a warning
    if (sandbox.holds(task.image.id)) await promise
    return await sandbox.run(task, options)
  }
  return {
    nodeId,
    taken: () => taken,
    sandbox: {
      kind: sandbox.kind,
      isolation: sandbox.isolation,
      ...(sandbox.left && { left: sandbox.left }),
      ...(sandbox.attach && { attach: sandbox.attach }),
      holds: (id) => sandbox.holds(id),
      run: (task, options) => {
        const kind = kindOf(task)
        const isReady = kind === undefined || (waiting.get(kind) ?? 0) > 0
        if (isReady || options.signal.aborted) return sandbox.run(task, options)
        return primed(kind, task, options)
      },
      [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
    },
  }
}

/** The shape of a task, its image apart; `undefined` for one that no container can be made for. */
function kindOf(task: SandboxTask): string | undefined {
  try {
    const shape = shapeOf(
      { ...task, limits: usableLimits(task.limits) },
      'an image',
      planFolders(task),
    )
    return shape && withoutImage(shape.key)
  } catch {
    return undefined // its paths are no good, which is what its test is about
  }
}

function getOrAdd(
  all: Map<string, PromiseWithResolvers<void>>,
  key: string,
): PromiseWithResolvers<void> {
  const found = all.get(key) ?? Promise.withResolvers()
  all.set(key, found)
  return found
}

function withoutImage(key: string): string {
  return key.replace(/^\["[^"]*",/, '[')
}
