import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GPU_VENDORS, type GpuDevice, type GpuVendor } from '../../domain/gpu-need.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { TaskUse } from '../../domain/machine-sample.ts'
import type { Attach } from '../../ports/attach.ts'
import type { Logger } from '../../ports/logger.ts'
import type {
  RunOptions,
  Sandbox,
  SandboxImage,
  SandboxResult,
  SandboxTask,
} from '../../ports/sandbox.ts'
import { openCgroupMeter } from '../confinement/cgroup-meter.ts'
import { connectEngine, engineGone } from './engine.ts'
import { openDockerEgress, runConnected, type DockerEgress } from './docker-egress.ts'
import type { Egress } from '../egress/egress-gate.ts'
import { wantsEgress } from '../egress/task-egress.ts'
import { describeEngine } from './engine-description.ts'
import { engineShelf, loadIntoEngine } from './engine-image.ts'
import { openGpuAccess } from './gpu-access.ts'
import { DOCKER, podman } from './dialect.ts'
import { helperImage } from './helper-image.ts'
import { ImagePrograms } from './image-programs.ts'
import { ImageStore } from '../image/image-store.ts'
import { runtimeFault } from './runtime-probe.ts'
import { findLeftTasks, type LeftTask } from './left-tasks.ts'
import { Resumption } from './resumption.ts'
import { sweepLeftovers } from './sweep.ts'
import { RunningTasks } from '../confinement/running-tasks.ts'
import { runTask, type WarmEngine } from './task-run.ts'
import { ARCHITECTURES } from '../image/tiny-program.ts'
import { keepWarmContainers } from './warm-containers.ts'
import type { WarmStockOptions } from './warm-stock.ts'

/** How to open the sandbox. */
export interface DockerSandboxOptions {
  /** Whose containers these are; two open sandboxes on one engine must differ in it. */
  readonly nodeId: string
  /** @default DOCKER_DEFAULTS.socketPath */
  readonly socketPath?: string
  /** The only runtime to use; otherwise gVisor's if it works, then the engine's default. */
  readonly runtime?: string
  /** GPUs of this machine that tasks may be given; left out: none. */
  readonly gpus?: readonly GpuDevice[]
  /** The runtime of tasks that have destinations, if they need another; it must be as good as the provider wants it. */
  readonly egressRuntime?: string
  /** Images of jobs kept in the engine. @default DOCKER_DEFAULTS.imageCapacity */
  readonly imageCapacity?: number
  /** Containers kept ready for tasks of a kind that comes often. @default none */
  readonly warm?: WarmStockOptions
  /** A folder of this node's own, for what an engine wants to read from a file. @default DOCKER_DEFAULTS.workDir */
  readonly workDir?: string
  /** Where control groups are mounted. @default DOCKER_DEFAULTS.cgroupRoot */
  readonly cgroupRoot?: string
}

export const DOCKER_DEFAULTS = {
  socketPath: '/var/run/docker.sock',
  imageCapacity: 32,
  cgroupRoot: '/sys/fs/cgroup',
  workDir: join(tmpdir(), 'computehive'),
} as const

/**
 * Opens a sandbox on the Docker engine of this machine, after removing what an earlier life of this node left there; its
 * tasks that still run are kept, to be resumed.
 * `undefined`, with the reason in the log, when no engine answers or it cannot run a container.
 */
export async function openDockerSandbox(
  parts: { readonly logger: Logger; readonly egress?: Egress },
  options: DockerSandboxOptions,
): Promise<Sandbox | undefined> {
  const logger = parts.logger.child('docker')
  const {
    socketPath,
    imageCapacity,
    warm: stock = { most: 0 },
    cgroupRoot,
    workDir,
    ...chosen
  } = { ...DOCKER_DEFAULTS, ...options }
  try {
    const engine = await connectEngine(socketPath)
    const info = await describeEngine(engine)
    const architecture = ARCHITECTURES[info.architecture]
    if (architecture === undefined) {
      logger.warn('docker engine has an unknown architecture', { name: info.architecture })
      return undefined
    }
    const helper = helperImage(architecture)
    await loadIntoEngine(engine, helper)
    const left = await findLeftTasks(engine, chosen.nodeId)
    const swept = await sweepLeftovers(engine, chosen.nodeId, left)
    if (swept > 0) logger.info('removed leftovers of an earlier run', { count: swept })
    const wanted = chosen.runtime ?? (info.runtimes.includes('runsc') ? 'runsc' : undefined)
    const candidates = chosen.runtime === undefined ? [wanted, info.defaultRuntime] : [wanted]
    for (const runtime of candidates) {
      if (runtime === undefined) continue
      const fault = info.runtimes.includes(runtime)
        ? await runtimeFault(engine, runtime, helper, chosen.nodeId)
        : 'the engine gives it to no container'
      if (fault !== undefined) {
        logger.warn('docker runtime does not work', { runtime, fault })
        continue
      }
      const cgroups =
        info.cgroupDriver === 'cgroupfs'
          ? await openCgroupMeter(info.cgroupVersion, chosen.nodeId, cgroupRoot)
          : undefined
      if (cgroups === undefined) logger.warn('usage of docker jobs is measured coarsely')
      await cgroups?.sweep(left.map(({ id }) => id))
      const shelf = engineShelf(engine)
      const drop = async (id: string) => {
        await warm.forgetImage(id)
        await shelf.drop(id)
      }
      const images = new ImageStore({ shelf: { ...shelf, drop } }, { capacity: imageCapacity })
      const programs = new ImagePrograms({ engine })
      const { nodeId } = chosen
      const named = { name: runtime, command: info.command(runtime), nodeId }
      const gpus = await openGpuAccess({ engine, helper, logger }, named, chosen.gpus ?? [])
      const dialect = info.isPodman ? await podman(workDir) : DOCKER
      const on = { engine, dialect, images, programs, helper, runtime, gpus, cgroups, nodeId }
      // without groups of our own, what a container did before its task could not be told apart
      const options = cgroups === undefined || info.isPodman ? { most: 0 } : stock
      const warm = keepWarmContainers({ on, architecture, logger }, options)
      const open = parts.egress && { logger, egress: parts.egress }
      const way = open && (await openDockerEgress(on, open, info, chosen.egressRuntime ?? runtime))
      return new DockerSandbox({ ...on, warm }, left, way)
    }
    return undefined
  } catch (error) {
    const { said = '' } = engineGone(error).data
    logger.info('no docker engine answers', { socketPath, said: String(said), code: codeOf(error) })
    return undefined
  }
}

class DockerSandbox implements Sandbox {
  readonly kind = 'docker'
  readonly isolation: string
  readonly gpuVendors: readonly GpuVendor[]
  readonly left: Resumption
  readonly hasEgress: boolean
  readonly #on: WarmEngine
  readonly #tasks: RunningTasks

  constructor(on: WarmEngine, left: readonly LeftTask[], way: DockerEgress | undefined) {
    this.#on = on
    this.hasEgress = way !== undefined
    const weaker = way !== undefined && way.runtime !== on.runtime
    this.isolation = `docker ${on.runtime}${weaker ? `, with destinations ${way.runtime}` : ''}`
    this.gpuVendors = GPU_VENDORS.filter((vendor) => on.gpus.refusals[vendor] === undefined)
    this.#tasks = new RunningTasks({
      kind: this.kind,
      runner: (task, progress) =>
        wantsEgress(task) ? runConnected(on, way, task, progress) : runTask(on, task, progress),
    })
    this.left = new Resumption({ on, tasks: this.#tasks }, left)
  }

  get attach(): Attach {
    return this.#tasks.attach
  }

  holds(imageId: string): boolean {
    return this.#on.images.holds(imageId)
  }

  async prepare(image: SandboxImage, options: Pick<RunOptions, 'signal'>): Promise<void> {
    const load = async () => {
      try {
        await this.#on.images.ensure(image)
      } catch (error) {
        throw error instanceof HiveError ? error : engineGone(error)
      }
    }
    await this.#tasks.ready(load, options)
  }

  async usage(taskId: string): Promise<TaskUse | undefined> {
    return await this.#tasks.usage(taskId)
  }

  async run(task: SandboxTask, options: RunOptions): Promise<SandboxResult> {
    return await this.#tasks.run(task, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]()
    await this.left[Symbol.asyncDispose]()
    await this.#on.warm[Symbol.asyncDispose]()
    await this.#on.cgroups?.sweep()
  }
}
