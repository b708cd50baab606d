import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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
import { HOSTS } from '../confinement/job-bounds.ts'
import { RunningTasks } from '../confinement/running-tasks.ts'
import { ImageStore } from '../image/image-store.ts'
import type { Architecture } from '../image/tiny-program.ts'
import { bubblewrapKeeper } from './bubblewrap.ts'
import { gvisorKeeper } from './gvisor.ts'
import type { Keeper } from './keeper.ts'
import { OutputPipes } from './output-pipes.ts'
import { keeperFault, reachFault } from './keeper-probe.ts'
import { seccompProgram } from '../confinement/seccomp-program.ts'
import { openTaskGroups } from './task-groups.ts'
import type { Egress } from '../egress/egress-gate.ts'
import { proxyEgress, type OpenEgress } from '../egress/task-egress.ts'
import { loopbackProgram } from '../image/call-chain.ts'
import { runTask, type NativeMachine } from './task-run.ts'
import { BASE, LOOPBACK } from './task-workspace.ts'
import { UnpackedImages } from './unpacked-images.ts'

/** What can hold a job without an engine. */
export const NATIVE_KEEPERS = ['runsc', 'bubblewrap'] as const
export type NativeKeeper = (typeof NATIVE_KEEPERS)[number]

/** How to open the sandbox. */
export interface NativeSandboxOptions {
  /** Whose control groups these are; two open sandboxes on one machine must differ in it. */
  readonly nodeId: string
  /** A folder for images and running tasks; emptied at opening. */
  readonly workDir: string
  /** The only keeper to use; otherwise gVisor if it works, then bubblewrap. */
  readonly keeper?: NativeKeeper
  /** Unpacked images kept. @default NATIVE_DEFAULTS.imageCapacity */
  readonly imageCapacity?: number
  /** Where control groups are mounted. @default NATIVE_DEFAULTS.cgroupRoot */
  readonly cgroupRoot?: string
}

export const NATIVE_DEFAULTS = { imageCapacity: 16, cgroupRoot: '/sys/fs/cgroup' } as const

/** Node's names of processor families by the image format's. */
const MACHINES: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' }
/** Pipes made beforehand: two for each of two tasks. */
const PIPES = 4

/**
 * Opens a sandbox that runs images without any engine, after removing what an earlier life of this node left.
 * `undefined`, with the reason in the log, where it cannot hold a job to its limits.
 */
export async function openNativeSandbox(
  parts: { readonly logger: Logger; readonly egress?: Egress },
  options: NativeSandboxOptions,
): Promise<Sandbox | undefined> {
  const logger = parts.logger.child('native')
  const {
    nodeId,
    workDir,
    keeper: chosen,
    imageCapacity,
    cgroupRoot,
  } = {
    ...NATIVE_DEFAULTS,
    ...options,
  }
  const architecture = MACHINES[process.arch]
  const refuse = (fault: string) => {
    logger.warn('images cannot be run without an engine', { fault })
    return undefined
  }
  if (architecture === undefined) return refuse(`no filter for ${process.arch} processors`)
  if (process.getuid?.() !== 0) return refuse('only root may make the mounts that hold a job')
  const made = await openTaskGroups(nodeId, cgroupRoot)
  if ('fault' in made) return refuse(made.fault)
  await made.groups.sweep()
  const filterPath = await layOut(workDir, architecture)
  const pipes = new OutputPipes({ folder: join(workDir, 'pipes') })
  const unpacked = new UnpackedImages({ folder: join(workDir, 'images') })
  const images = new ImageStore({ shelf: unpacked }, { capacity: imageCapacity })
  const machine = {
    root: workDir,
    architecture,
    groups: made.groups,
    pipes,
    unpacked,
    images,
    logger,
    openEgress: undefined,
  }
  for (const name of chosen === undefined ? NATIVE_KEEPERS : [chosen]) {
    const keeper = name === 'runsc' ? gvisorKeeper() : bubblewrapKeeper(filterPath)
    const fault = await keeperFault({ ...machine, keeper }, architecture)
    if (fault === undefined) {
      await pipes.prepare(PIPES)
      const openEgress = await usableEgress({ ...machine, keeper }, architecture, parts.egress)
      return new NativeSandbox({ ...machine, keeper, openEgress })
    }
    logger.warn('a keeper of native jobs does not work', { keeper: name, fault })
  }
  await rm(workDir, { recursive: true, force: true })
  return undefined
}

/** The way to what was asked for, if a trial task can be given one here. */
async function usableEgress(
  machine: NativeMachine,
  architecture: Architecture,
  egress: Egress | undefined,
): Promise<OpenEgress | undefined> {
  if (egress === undefined || egress.policy.allow.length === 0) return undefined
  const fault = await reachFault(machine, architecture)
  if (fault === undefined) return proxyEgress(egress)
  machine.logger.warn('native jobs cannot be given destinations', { fault })
  return undefined
}

/** Makes the working folder anew; gives the path of the system call filter in it. */
async function layOut(workDir: string, architecture: Architecture): Promise<string> {
  await rm(workDir, { recursive: true, force: true })
  await mkdir(workDir, { recursive: true, mode: 0o700 })
  for (const name of ['images', 'runs', 'pipes']) await mkdir(join(workDir, name), { mode: 0o700 })
  const base = join(workDir, BASE)
  for (const name of ['', 'proc', 'dev', 'tmp', 'etc']) {
    await mkdir(join(base, name), { recursive: true })
    await chmod(join(base, name), 0o755)
  }
  const hosts = join(base, 'etc', 'hosts')
  await writeFile(hosts, HOSTS)
  await chmod(hosts, 0o644)
  await writeFile(join(workDir, LOOPBACK), loopbackProgram(architecture), { mode: 0o700 })
  const filterPath = join(workDir, 'filter')
  await writeFile(filterPath, seccompProgram(architecture))
  return filterPath
}

class NativeSandbox implements Sandbox {
  readonly kind = 'docker'
  readonly isolation: string
  readonly hasEgress: boolean
  readonly attach?: Attach
  readonly #machine: NativeMachine
  readonly #tasks: RunningTasks

  constructor(machine: NativeMachine & { readonly keeper: Keeper }) {
    this.#machine = machine
    this.isolation = machine.keeper.isolation
    this.hasEgress = machine.openEgress !== undefined
    this.#tasks = new RunningTasks({
      kind: this.kind,
      runner: (task, progress) => runTask(machine, task, progress),
    })
    if (machine.keeper.filterPath !== undefined) this.attach = this.#tasks.attach
  }

  holds(imageId: string): boolean {
    return this.#machine.images.holds(imageId)
  }

  async prepare(image: SandboxImage, options: Pick<RunOptions, 'signal'>): Promise<void> {
    await this.#tasks.ready(() => this.#machine.images.ensure(image), options)
  }

  async usage(taskId: string): Promise<TaskUse | undefined> {
    return await this.#tasks.usage(taskId)
  }

  async run(task: SandboxTask, options: RunOptions): Promise<SandboxResult> {
    return await this.#tasks.run(task, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]()
    await this.#machine.groups.sweep()
    await rm(this.#machine.root, { recursive: true, force: true })
  }
}
