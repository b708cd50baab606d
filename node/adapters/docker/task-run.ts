import type Docker from 'dockerode'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { EndReason } from '../../domain/receipt.ts'
import { second } from '../../domain/units.ts'
import type { RunOptions, SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { containerSettings } from './container-settings.ts'
import { engineGone, forStrangers, refusalOf, unlessGone } from './engine.ts'
import { OutputCapture } from './output-capture.ts'
import { collectOutputs } from './output-collection.ts'
import { runLabels, runPrefix, type TaskEngine } from './task-engine.ts'
import { finished, unstarted, type RunEnd } from './task-result.ts'
import { makeVolumes } from './task-volumes.ts'
import { usableLimits } from './usable-limits.ts'
import { openUsage } from './task-usage.ts'

/** How long the engine may take to report the end of a container that was killed, ms. */
const KILL_GRACE_MS: number = 20 * second

/** What `runTask` tells while it goes on. */
export interface RunProgress extends RunOptions {
  /** The job's own process runs. */
  readonly onStarted: () => void
}

/**
 * Runs one task in a container of its own and removes all that was made for it.
 * @throws HiveError SANDBOX_UNAVAILABLE when the engine is gone
 */
export async function runTask(
  on: TaskEngine,
  given: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const task = { ...given, limits: usableLimits(given.limits) }
  try {
    return await attempt(on, task, progress)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'IMAGE_INVALID') return unstarted(task, 'image-bad', describe(error))
    if (code === 'TASK_START_FAILED') return unstarted(task, 'start-failed', describe(error))
    throw engineGone(error)
  }
}

async function attempt(
  on: TaskEngine,
  task: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult> {
  const { signal } = progress
  if (signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  await using made = new AsyncDisposableStack()
  const imageId = await on.images.ensure(task.image)
  if (signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  const labels = runLabels(on, task)
  const prefix = runPrefix(on, task)
  const usage = made.use(openUsage(on.cgroups, task))
  const { engine, helperImageId } = on
  const volumes = made.use(
    await startStep(makeVolumes({ engine, helperImageId, prefix, labels }, task)),
  )
  const plan = {
    imageId,
    runtime: on.runtime,
    labels,
    mounts: volumes.mounts,
    cgroupParent: usage.cgroupParent,
  }
  const creating = createContainer(on, task, containerSettings(task, plan))
  made.defer(async () => {
    const [created] = await Promise.allSettled([creating])
    const removal =
      created.status === 'fulfilled' ? created.value.remove({ force: true, v: true }) : undefined
    await Promise.all([removal && unlessGone(removal), volumes.release()])
  })
  const [container] = await Promise.all([creating, startStep(volumes.hold())])
  await startStep(volumes.fill(container))
  if (signal.aborted) return unstarted(task, 'killed', 'cancelled before it started')
  const end = await watch(container, task, progress, async () => {
    await usage.follow(container)
  })
  const collected = await collectOutputs(container, task)
  return finished(task, end, collected, await usage.read())
}

async function watch(
  container: Docker.Container,
  task: SandboxTask,
  progress: RunProgress,
  follow: () => Promise<void>,
): Promise<RunEnd> {
  let cut: EndReason | undefined
  const killing: Promise<unknown>[] = []
  let isRunning = false
  const stop = (reason: EndReason) => {
    cut ??= reason
    if (!isRunning) return
    const kill = unlessGone(container.kill({ signal: 'SIGKILL' }))
    // a dead engine also ends the output below, so the wait finds out; nobody is left waiting
    kill.catch(() => undefined)
    killing.push(kill)
  }
  const onAbort = () => {
    stop('killed')
  }
  const capture = new OutputCapture(task.limits.outputBytes, {
    onOutput: (stream, chunk) => progress.onOutput?.(stream, chunk),
    onFull: () => {
      stop('output-limit')
    },
  })
  progress.signal.addEventListener('abort', onAbort, { once: true })
  const attached = await startStep(attach(container, task))
  const reading = drain(attached, capture)
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  try {
    await startStep(container.start())
    isRunning = true
    progress.onStarted()
    if (cut !== undefined || progress.signal.aborted) stop(cut ?? 'killed')
    timer = setTimeout(() => {
      stop('timeout')
    }, task.limits.wallMs)
    await follow()
    await reading
    const patience = AbortSignal.timeout(task.limits.wallMs + KILL_GRACE_MS)
    const status = await waitForEnd(container, patience)
    const wallMs = performance.now() - startedAt
    clearTimeout(timer)
    await Promise.all(killing)
    const { State: state } = await container.inspect()
    return { cut, status, isOutOfMemory: state.OOMKilled, wallMs, capture }
  } finally {
    clearTimeout(timer)
    progress.signal.removeEventListener('abort', onAbort)
    if ('destroy' in attached && typeof attached.destroy === 'function') attached.destroy()
    await reading
  }
}

/** Opens the streams and sends stdin; a job that does not read it is no fault of ours. */
async function attach(
  container: Docker.Container,
  task: SandboxTask,
): Promise<NodeJS.ReadableStream> {
  const hasStdin = task.stdin.length > 0
  const streams = { stream: true, stdout: true, stderr: true }
  if (!hasStdin) return await container.attach(streams)
  const duplex = await container.attach({ ...streams, stdin: true, hijack: true })
  duplex.end(Buffer.from(task.stdin))
  return duplex
}

/** Reads to the end, which comes when the job has closed its streams or the engine is gone; never rejects. */
async function drain(stream: NodeJS.ReadableStream, capture: OutputCapture): Promise<void> {
  try {
    for await (const chunk of stream) capture.push(Buffer.from(chunk))
  } catch {
    // a broken connection: what it means is found by asking the engine how the container ended
  }
}

async function waitForEnd(container: Docker.Container, patience: AbortSignal): Promise<number> {
  const answer: unknown = await container.wait({ abortSignal: patience })
  const status =
    typeof answer === 'object' && answer !== null && 'StatusCode' in answer && answer.StatusCode
  if (typeof status !== 'number') throw engineGone(new HiveError('PEER_PROTOCOL', {}))
  return status
}

/** A container from the image; one that the engine has dropped since is loaded once more. */
async function createContainer(
  on: TaskEngine,
  task: SandboxTask,
  settings: Docker.ContainerCreateOptions,
): Promise<Docker.Container> {
  try {
    return await on.engine.createContainer(settings)
  } catch (error) {
    if (refusalOf(error)?.status !== 404) return await startStep(Promise.reject(error as Error))
    on.images.forget(task.image.id)
    await on.images.ensure(task.image)
    return await startStep(on.engine.createContainer(settings))
  }
}

/** A step towards the start: the engine's refusal of it means that this task cannot start here. */
async function startStep<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    throw new HiveError('TASK_START_FAILED', { said: forStrangers(refusal) }, { cause: error })
  }
}

function describe(error: unknown): string {
  if (!(error instanceof HiveError)) return String(error)
  return Object.values(error.data).map(String).join(': ')
}
