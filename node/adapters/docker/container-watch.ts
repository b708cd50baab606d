import type Docker from 'dockerode'
import { HiveError } from '../../domain/errors.ts'
import type { EndReason } from '../../domain/receipt.ts'
import { second } from '../../domain/units.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { containerInside } from './container-inside.ts'
import { engineGone, unlessGone } from './engine.ts'
import { attachHijacked } from './hijacked.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { CappedOutput } from '../confinement/capped-output.ts'
import { OutputCapture } from './output-capture.ts'
import { startStep } from './start-step.ts'
import type { RunEnd } from '../confinement/task-result.ts'

/** How long the engine may take to report the end of a container that was killed, ms. */
const KILL_GRACE_MS: number = 20 * second

/** How a container comes to run its task. */
export interface ContainerStart {
  /** Opens the streams of what it prints; destroyed at the end. */
  attach(): Promise<NodeJS.ReadableStream>
  /** Brings the task's own program to run. */
  begin(): Promise<unknown>
  /** Called as soon as it runs. */
  follow(): Promise<void>
  /** How much longer it may run, ms. @default the task's own limit */
  readonly leftMs?: number
  /** The container whose network the task has, if that can be entered. */
  readonly network: Docker.Container | undefined
}

/** How one that was made for the task alone does. */
export function coldStart(
  container: Docker.Container,
  task: SandboxTask,
  more: Pick<ContainerStart, 'follow' | 'network'>,
): ContainerStart {
  return { attach: () => attach(container, task), begin: () => container.start(), ...more }
}

/**
 * Has a container run its task and stays with it to its end, which the task's limits or the signal may bring about.
 * @throws HiveError TASK_START_FAILED; the engine's own error when it is gone
 */
export async function watchContainer(
  container: Docker.Container,
  task: SandboxTask,
  progress: RunProgress,
  start: ContainerStart,
): Promise<RunEnd> {
  const { leftMs = task.limits.wallMs } = start
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
  const output = new CappedOutput(task.limits.outputBytes, {
    onOutput: (stream, chunk) => progress.onOutput?.(stream, chunk),
    onFull: () => {
      stop('output-limit')
    },
  })
  const capture = new OutputCapture({ output })
  progress.signal.addEventListener('abort', onAbort, { once: true })
  const attached = await startStep(start.attach())
  const reading = drain(attached, capture)
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  // what it prints may be heard before the engine says that it runs
  const begun = Promise.withResolvers<boolean>()
  const inside = containerInside(container, task, start.network, begun.promise)
  progress.onInside?.(inside)
  try {
    await startStep(start.begin())
    isRunning = true
    progress.onStarted()
    begun.resolve(true)
    if (cut !== undefined || progress.signal.aborted) stop(cut ?? 'killed')
    timer = setTimeout(() => {
      stop('timeout')
    }, leftMs)
    await start.follow()
    await reading
    const patience = AbortSignal.timeout(leftMs + KILL_GRACE_MS)
    const status = await waitForEnd(container, patience)
    const wallMs = performance.now() - startedAt
    clearTimeout(timer)
    await Promise.all(killing)
    const { State: state } = await container.inspect()
    // Podman never says so, and Docker not always
    const wasOutOfMemory = state.OOMKilled ? true : undefined
    return { cut, status, wasOutOfMemory, wallMs, output }
  } finally {
    begun.resolve(false)
    clearTimeout(timer)
    progress.signal.removeEventListener('abort', onAbort)
    if ('destroy' in attached && typeof attached.destroy === 'function') attached.destroy()
    await reading
    await inside[Symbol.asyncDispose]()
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
  const duplex = await attachHijacked(container)
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
