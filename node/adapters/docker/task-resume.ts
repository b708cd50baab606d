import type Docker from 'dockerode'
import { codeOf } from '../../domain/errors.ts'
import { CappedOutput } from '../confinement/capped-output.ts'
import type { RunProgress } from '../confinement/running-tasks.ts'
import { planFolders } from '../confinement/task-folders.ts'
import { finished } from '../confinement/task-result.ts'
import { usableLimits } from '../confinement/usable-limits.ts'
import type { SandboxResult, SandboxTask } from '../../ports/sandbox.ts'
import { networkIn } from './container-inside.ts'
import { watchContainer } from './container-watch.ts'
import { engineGone, refusalOf } from './engine.ts'
import type { LeftTask } from './left-tasks.ts'
import { collectOutputs } from './output-collection.ts'
import { makeTaskContainer } from './task-container.ts'
import type { TaskEngine } from './task-engine.ts'
import { readTaskLog, type LoggedLine } from './task-log.ts'

/**
 * Stays with a container that another life of this node started, to its end, and removes all that was made for the
 * task. `undefined` when it ended unseen, which takes its outputs with it, or when output may be missing.
 * @throws HiveError SANDBOX_UNAVAILABLE when the engine is gone
 */
export async function resumeTask(
  on: TaskEngine,
  left: LeftTask,
  given: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult | undefined> {
  const task = { ...given, limits: usableLimits(given.limits) }
  try {
    progress.onStarted()
    return await attempt(on, left, task, progress)
  } catch (error) {
    // it is gone, or the engine will not have its volumes held: there is nothing to take up
    if (refusalOf(error)?.status === 404 || codeOf(error) === 'TASK_START_FAILED') return undefined
    throw engineGone(error)
  }
}

async function attempt(
  on: TaskEngine,
  left: LeftTask,
  task: SandboxTask,
  progress: RunProgress,
): Promise<SandboxResult | undefined> {
  await using made = await makeTaskContainer(on, {
    ...task,
    folders: planFolders(task),
    create: async () => on.engine.getContainer(left.container),
  })
  const { container, usage } = made
  // asked after its volumes are held: what still runs now cannot take its outputs with it any more
  const { State: state } = await container.inspect()
  if (!state.Running || (await readTaskLog(container)) === undefined) return undefined
  progress.onMeter?.(() => usage.read())
  const end = await watchContainer(container, task, progress, {
    attach: () => container.logs({ stdout: true, stderr: true, follow: true }),
    begin: async () => undefined,
    follow: () => usage.follow(container),
    network: networkIn(on, container),
    leftMs: Math.max(0, Date.parse(state.StartedAt) + task.limits.wallMs - Date.now()),
  })
  const lines = await readTaskLog(container)
  if (lines === undefined) return undefined
  const wallMs = await wallTime(container)
  const collected = await collectOutputs(container, task)
  const output = outputOf(lines, task)
  return finished(task, { ...end, output, wallMs }, collected, await usage.read())
}

/** From the start of an ended container to its end, ms. */
async function wallTime(container: Docker.Container): Promise<number> {
  const { State: state } = await container.inspect()
  return Math.max(0, Date.parse(state.FinishedAt) - Date.parse(state.StartedAt))
}

function outputOf(lines: readonly LoggedLine[], task: SandboxTask): CappedOutput {
  const ignore = () => undefined
  const output = new CappedOutput(task.limits.outputBytes, { onOutput: ignore, onFull: ignore })
  for (const { stream, bytes } of lines) output.push(stream, bytes)
  return output
}
