import { HiveError } from '../../domain/errors.ts'
import { KiB, MiB, second } from '../../domain/units.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Architecture } from '../image/tiny-program.ts'
import { PROBE_PATH, PROBE_STATUS } from './helper-image.ts'
import type { TaskEngine } from './task-engine.ts'
import { makeWarmContainer, type WarmContainer } from './warm-container.ts'
import { openLauncher, type Launcher } from './warm-launcher.ts'
import type { WarmShape } from './warm-shape.ts'
import { WarmStock, type WarmStockOptions } from './warm-stock.ts'

/** Containers made beforehand; disposal removes those that wait. Those taken must be disposed before. */
export interface WarmContainers extends AsyncDisposable {
  /** Counts a task of this shape, and gives a container that waits for one: the caller's to dispose. */
  take(shape: WarmShape): WarmContainer | undefined
  /**
   * Makes one now: for a task whose environment no engine may keep. `on` tells the runtime and the network if those are
   * the task's own. Fails as makeWarmContainer does.
   */
  make(shape: WarmShape, on?: TaskEngine): Promise<WarmContainer>
  /** Removes what waits with an image that is being given up. */
  forgetImage(imageId: string): Promise<void>
}

/** How long the trial of the launching program may take, ms. */
const TRIAL_TIMEOUT_MS: number = 15 * second

/** Keeps containers ready for the shapes of task that come often. Makes nothing before the first such. */
export function keepWarmContainers(
  parts: { readonly on: TaskEngine; readonly architecture: Architecture; readonly logger: Logger },
  options: WarmStockOptions,
): WarmContainers {
  const { on, architecture, logger } = parts
  let opening: Promise<Launcher> | undefined
  const make = async (shape: WarmShape, own: TaskEngine = on) => {
    opening ??= openTriedLauncher(on, architecture)
    try {
      return await makeWarmContainer(own, await opening, shape)
    } catch (error) {
      // the next may find it working
      const [opened] = await Promise.allSettled([opening])
      if (opened.status === 'rejected') opening = undefined
      throw error
    }
  }
  const stock = new WarmStock<WarmShape, WarmContainer>({ logger, make }, options)
  return {
    make,
    take: (shape) => {
      const taken = stock.take(shape)
      if (taken !== undefined) logger.debug('a waiting container was taken', { kind: shape.key })
      return taken
    },
    forgetImage: (imageId) => stock.forgetImage(imageId),
    [Symbol.asyncDispose]: async () => {
      await stock[Symbol.asyncDispose]()
      const [opened] = await Promise.allSettled([opening])
      // an engine that is gone keeps the volume until the next opening sweeps it
      if (opened.status === 'fulfilled') {
        await Promise.allSettled([opened.value?.[Symbol.asyncDispose]()])
      }
    },
  }
}

/** The launching program, after it has launched the helper image's own. */
async function openTriedLauncher(on: TaskEngine, architecture: Architecture): Promise<Launcher> {
  await using made = new AsyncDisposableStack()
  const launcher = made.use(await openLauncher(on, architecture))
  const limits = {
    cpuMillis: 1000,
    memoryBytes: 64 * MiB,
    diskBytes: 1 * MiB,
    wallMs: TRIAL_TIMEOUT_MS,
    outputBytes: 1 * KiB,
  }
  const image = { id: on.helper.id, load: async () => new Uint8Array() }
  const none = { env: {}, stdin: new Uint8Array(), files: [], outputs: '/out' }
  const task = { id: 'trial of launching', image, args: [PROBE_PATH], ...none, limits }
  const folders = [{ target: task.outputs, isOutput: true, isSecret: false, files: [] }]
  const shape = { key: '', imageId: on.helper.id, limits, folders, outputs: task.outputs }
  const container = made.use(await makeWarmContainer(on, launcher, shape))
  const signal = AbortSignal.timeout(TRIAL_TIMEOUT_MS)
  const result = await container.run(task, folders, { signal, onStarted: () => undefined })
  if (result?.exitCode !== PROBE_STATUS) {
    throw new HiveError('SANDBOX_UNAVAILABLE', { said: 'the launching program does not launch' })
  }
  await container[Symbol.asyncDispose]()
  made.move()
  return launcher
}
