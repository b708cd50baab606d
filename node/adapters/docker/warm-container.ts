import { randomBytes, randomUUID } from 'node:crypto'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { programLine } from '../confinement/program-line.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import type { TaskFolder } from '../confinement/task-folders.ts'
import { finished, unstarted } from '../confinement/task-result.ts'
import { containerSettings, environmentOf } from './container-settings.ts'
import { networkIn } from './container-inside.ts'
import { watchContainer } from './container-watch.ts'
import { gpuSettings } from './gpu-settings.ts'
import { attachHijacked } from './hijacked.ts'
import { LaunchScreen } from './launch-screen.ts'
import { collectOutputs } from './output-collection.ts'
import { makeTaskContainer } from './task-container.ts'
import type { TaskEngine } from './task-engine.ts'
import type { Launcher } from './warm-launcher.ts'
import { encodeOrder, SECRET_BYTES } from './warm-order.ts'
import type { WarmShape } from './warm-shape.ts'
import type { Stocked } from './warm-stock.ts'

/** A container of one shape in which nothing but our own launching program runs, waiting for one task. */
export interface WarmContainer extends Stocked {
  /**
   * Runs a task of its shape. `undefined` when its program could not be launched: nothing of it ran.
   * @throws the engine's own error when it is gone
   */
  run(
    task: SandboxTask,
    folders: readonly TaskFolder[],
    progress: RunProgress,
  ): Promise<SandboxResult | undefined>
}

/** Makes one and starts it, with exactly the settings that a task of its shape gets, its launching program apart. */
export async function makeWarmContainer(
  on: TaskEngine,
  launcher: Launcher,
  shape: WarmShape,
): Promise<WarmContainer> {
  const { imageId, limits, folders, outputs, gpus = [] } = shape
  const program = await on.programs.of(imageId)
  const id = `warm ${randomUUID()}`
  const none = { args: [], env: {}, stdin: new Uint8Array(), files: [] }
  const nobody = { ...none, id, image: { id: imageId, load: async () => none.stdin } }
  await using made = new AsyncDisposableStack()
  const { container, usage, fill } = made.use(
    await makeTaskContainer(on, {
      id,
      limits,
      folders,
      create: (plan) =>
        on.engine.createContainer(
          containerSettings(
            { ...nobody, limits, outputs, gpus },
            {
              ...plan,
              imageId,
              imageEnv: program.env,
              launcher: launcher.path,
              mounts: [...plan.mounts, launcher.mount],
            },
          ),
        ),
    }),
  )
  const attached = await attachHijacked(container)
  made.defer(() => {
    attached.destroy()
  })
  const secret = randomBytes(SECRET_BYTES)
  const screen = new LaunchScreen(secret)
  attached.on('error', () => screen.destroy())
  attached.once('close', () => screen.end())
  attached.pipe(screen)
  await container.start()
  let isUsed = false
  const owned = made.move()
  return {
    get isAlive() {
      return !isUsed && !attached.readableEnded && !attached.destroyed
    },
    run: async (task, filled, progress) => {
      isUsed = true
      const env = environmentOf(task, program.env, gpuSettings(gpus, on.gpus).env)
      const hasStdin = task.stdin.length > 0
      const order = encodeOrder({ line: programLine(task, program), env, hasStdin, secret })
      if (order === undefined) return undefined
      const { cpuMs: before } = await usage.read()
      progress.onMeter?.(async () => {
        const { cpuMs, ...memory } = await usage.read()
        return { ...memory, cpuMs: cpuMs - before }
      })
      await fill(filled)
      if (progress.signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
      const end = await watchContainer(container, task, progress, {
        attach: async () => screen,
        begin: async () => {
          attached.write(order)
          attached.end(Buffer.from(task.stdin))
        },
        follow: () => usage.follow(container),
        network: networkIn(on, container),
      })
      if (screen.hasFailed) return undefined
      const collected = await collectOutputs(container, task)
      const { cpuMs, ...metered } = await usage.read()
      return finished(task, end, collected, { ...metered, cpuMs: cpuMs - before })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
