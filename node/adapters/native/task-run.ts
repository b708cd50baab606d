import { open } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { HiveError } from '../../domain/errors.ts'
import type { EndReason } from '../../domain/receipt.ts'
import { KiB } from '../../domain/units.ts'
import type { Logger } from '../../ports/logger.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { CappedOutput } from '../confinement/capped-output.ts'
import {
  collected,
  outputRoom,
  unusableOutputs,
  type Collected,
} from '../confinement/output-files.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { startFailure } from '../confinement/start-failure.ts'
import {
  wantsEgress,
  withProxyEnvironment,
  type OpenEgress,
  type TaskEgress,
} from '../egress/task-egress.ts'
import { finished, KILLED_STATUS, unstarted } from '../confinement/task-result.ts'
import { usableLimits } from '../confinement/usable-limits.ts'
import type { ImageStore } from '../image/image-store.ts'
import type { Architecture } from '../image/tiny-program.ts'
import type { Keeper } from './keeper.ts'
import type { OutputPipe, OutputPipes } from './output-pipes.ts'
import { isFull, readOutputs } from './outputs-folder.ts'
import { openStage, type Stage, type StageEnd } from './stage.ts'
import type { TaskGroup, TaskGroups } from './task-groups.ts'
import { nativeInside } from './task-inside.ts'
import { LOOPBACK, makeWorkspace, STAGE_TMP } from './task-workspace.ts'
import type { UnpackedImages } from './unpacked-images.ts'

/** What running a task needs of one open sandbox. */
export interface NativeMachine {
  readonly root: string
  readonly architecture: Architecture
  readonly images: ImageStore
  readonly unpacked: UnpackedImages
  readonly groups: TaskGroups
  readonly pipes: OutputPipes
  readonly keeper: Keeper
  readonly logger: Logger
  /** How tasks reach what they may; `undefined`: nothing. */
  readonly openEgress: OpenEgress | undefined
}

/** How often a task that is being ended is looked at again, ms: its first process may only just be starting. */
const KILL_INTERVAL_MS = 10
/** Beginning of stderr that may say why a program did not start, bytes. */
const SAID_BYTES: number = 4 * KiB

/** Runs one task and removes all that was made for it. */
export async function runTask(
  on: NativeMachine,
  given: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const usable = { ...given, limits: usableLimits(given.limits) }
  const task = wantsEgress(usable) ? withProxyEnvironment(usable) : usable
  try {
    return await attempt(on, task, progress)
  } catch (error) {
    const failure = startFailure(task, error)
    if (failure !== undefined) return failure
    throw new HiveError('SANDBOX_UNAVAILABLE', { said: on.keeper.isolation }, { cause: error })
  }
}

async function attempt(
  on: NativeMachine,
  task: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const cancelled = () => unstarted(task, 'killed', 'cancelled before it started')
  const { signal } = progress
  const { keeper } = on
  if (signal.aborted) return cancelled()
  if (wantsEgress(task) && on.openEgress === undefined)
    return unstarted(task, 'start-failed', 'no destination can be reached')
  await using made = new AsyncDisposableStack()
  const image = made.use(on.unpacked.hold(await on.images.ensure(task.image)))
  if (signal.aborted) return cancelled()
  const space = made.use(await makeWorkspace(on.root, task, image))
  const { command, secret } = await keeper.prepare(task, image.config, space)
  const filter = keeper.filterPath === undefined ? undefined : await open(keeper.filterPath)
  if (filter !== undefined) made.use(filter)
  const [stdout, stderr] = [made.use(await on.pipes.take()), made.use(await on.pipes.take())]
  const group = made.use(await on.groups.open(task.id, task.limits, keeper.pids))
  if (signal.aborted) return cancelled()
  const stage = made.use(
    openStage({
      root: on.root,
      mounts: space.mounts,
      given: space.given,
      unpacked: space.secret,
      loopback: wantsEgress(task) ? `./${LOOPBACK}` : undefined,
      joins: group.joins,
      command,
      openFiles: keeper.openFiles,
      secret,
      stdin: space.stdin,
      stdout: stdout.writer,
      stderr: stderr.writer,
      filter,
    }),
  )
  await Promise.all([stdout.writer.close(), stderr.writer.close()])
  const way = await openWay(on, stage, task, signal)
  if (way === 'cancelled') return cancelled()
  if (way !== undefined) made.use(way)
  const startedAt = performance.now()
  if (way !== undefined) stage.proceed()
  progress.onStarted()
  progress.onMeter?.(() => group.read())
  if (keeper.filterPath !== undefined) {
    const parts = { task, image: image.config, workingDir: space.workingDir, group, stage }
    const kind = { architecture: on.architecture, filterPath: keeper.filterPath }
    progress.onInside?.(made.use(nativeInside({ ...parts, ...kind })))
  }
  const { end, cut, output } = await watch(task, progress, { stage, group, stdout, stderr })
  const wallMs = performance.now() - startedAt
  if (end.complaint !== '') on.logger.warn('a native task was not set up', { said: end.complaint })
  const said = Buffer.from(output.stderr.subarray(0, SAID_BYTES)).toString()
  const judgement = await keeper.judge(end, stage, said)
  const wasOutOfMemory = await group.wasOutOfMemory()
  if (cut === undefined && judgement.fault !== undefined && !wasOutOfMemory) {
    return unstarted(task, 'start-failed', judgement.fault)
  }
  const status = judgement.status ?? KILLED_STATUS
  const outputs = end.status === undefined ? NOTHING : await collect(stage, task)
  const run = { cut, status, wasOutOfMemory, wallMs, output }
  const result = finished(task, run, outputs, await group.read())
  return way === undefined ? result : way.settle(result)
}

/**
 * Opens the proxy of a task that may reach something, in the network that its stage has made: the command waits.
 * @throws HiveError TASK_START_FAILED
 */
async function openWay(
  on: NativeMachine,
  stage: Stage,
  task: SandboxTask,
  signal: AbortSignal,
): Promise<TaskEgress | 'cancelled' | undefined> {
  if (on.openEgress === undefined || !wantsEgress(task)) return undefined
  // a stage that failed is told about by its end
  if (!(await stage.isConnected)) return undefined
  try {
    return await on.openEgress(stage.namespace, task, signal)
  } catch (error) {
    if (signal.aborted) return 'cancelled'
    throw error
  }
}

const NOTHING: Collected = { files: [], fault: '', isFull: false }

interface Running {
  readonly stage: Stage
  readonly group: TaskGroup
  readonly stdout: OutputPipe
  readonly stderr: OutputPipe
}

/** Stays with a task to its end, which its limits or the signal may bring about. */
async function watch(
  task: SandboxTask,
  progress: RunProgress,
  { stage, group, stdout, stderr }: Running,
): Promise<{ end: StageEnd; cut: EndReason | undefined; output: CappedOutput }> {
  let cut: EndReason | undefined
  let killing: Promise<void> | undefined
  let isOver = false
  const stop = (reason: EndReason) => {
    cut ??= reason
    killing ??= (async () => {
      while (!isOver) {
        await group.kill()
        await Promise.race([stage.ended, pause(KILL_INTERVAL_MS)])
      }
    })()
  }
  const onAbort = () => {
    stop('killed')
  }
  const output = new CappedOutput(task.limits.outputBytes, {
    onOutput: (stream, chunk) => progress.onOutput?.(stream, chunk),
    onFull: () => {
      stop('output-limit')
    },
  })
  progress.signal.addEventListener('abort', onAbort, { once: true })
  if (progress.signal.aborted) onAbort()
  const timer = setTimeout(() => {
    stop('timeout')
  }, task.limits.wallMs)
  try {
    const reading = [
      drain(stdout, (chunk) => output.push(1, chunk)),
      drain(stderr, (chunk) => output.push(2, chunk)),
    ]
    const end = await stage.ended
    isOver = true
    clearTimeout(timer)
    await killing
    // whatever outlived its keeper holds the pipes open
    await group.clear()
    await Promise.all(reading)
    return { end, cut, output }
  } finally {
    clearTimeout(timer)
    progress.signal.removeEventListener('abort', onAbort)
  }
}

/** Reads to the end, which comes when the last process of the job is gone. */
async function drain(pipe: OutputPipe, onChunk: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of pipe.reader) onChunk(chunk as Buffer)
}

async function collect(stage: Stage, task: SandboxTask): Promise<Collected> {
  try {
    const outputs = collected(await readOutputs(stage.outputs, outputRoom(task)), task)
    return { ...outputs, isFull: outputs.isFull || (await isFull(stage.reach(STAGE_TMP))) }
  } catch (error) {
    return unusableOutputs(error)
  }
}
