import type { GpuDevice } from '../../domain/gpu-need.ts'
import { expand, type JobSpec } from '../../domain/job-spec.ts'
import { ProgressReader } from '../../domain/progress-mark.ts'
import { MAX_TASK_TIMEOUT_MS } from '../../domain/offer.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LeftTasks, RunOptions, SandboxTask } from '../../ports/sandbox.ts'
import { MAX_OUTPUT_BYTES } from '../../protocol/limits.ts'
import { fitted } from '../../protocol/results.ts'
import { taskSeed } from '../../protocol/task-seed.ts'
import type { TaskRegister } from '../monitoring/task-register.ts'
import type { Contents } from './contents.ts'
import { keptResult } from './kept-result.ts'
import type { Meter } from './meter.ts'
import { taskId, type WorkRecord } from './records.ts'
import type { TaskRunner } from './secretly.ts'
import type { ShareLog } from './share-log.ts'
import { unfinished } from './unfinished.ts'
import type { WorkBook } from './work-book.ts'

export interface TaskRunParts {
  readonly clock: Clock
  readonly blobs: Blobs
  readonly works: WorkBook
  readonly running: TaskRegister
}

/** One task of a share under way. */
export interface TaskAttempt {
  readonly work: WorkRecord
  readonly spec: JobSpec
  readonly sandbox: TaskRunner
  readonly contents: Contents
  readonly index: number
  readonly log: ShareLog
  /** Aborts when the share is given up. */
  readonly signal: AbortSignal
  /** Aborts when the share is to be delivered with what has ended so far. */
  readonly stopped: AbortSignal
  /** Of a share that is paid by the second. */
  readonly meter?: Meter
}

/** Runs a task, or takes it up where it was left; `undefined` when that cannot be. */
export async function runTask(
  parts: TaskRunParts,
  { work, spec, sandbox, contents, index, log, signal, stopped, meter }: TaskAttempt,
  gpus: readonly GpuDevice[],
  left?: LeftTasks,
): Promise<TaskResult | undefined> {
  const until = AbortSignal.any([signal, stopped, ...(meter === undefined ? [] : [meter.stop])])
  const { stdin, files } = await contents.of(spec, index, AbortSignal.any([signal, stopped]))
  log.add({ type: 'started', index, ...(left && { resumed: true }) })
  const run = left === undefined ? sandbox.run.bind(sandbox) : left.resume.bind(left)
  const task: SandboxTask = {
    id: taskId(work.id, index),
    image: { id: spec.image.cid, load: async () => contents.image(spec, signal) },
    args: spec.args.map((arg) => expand(arg, spec, index)),
    env: Object.fromEntries(
      Object.entries(spec.env).map(([key, value]) => [key, expand(value, spec, index)]),
    ),
    stdin,
    files,
    outputs: spec.outputs,
    ...(gpus.length > 0 && { gpus }),
    ...(spec.egress !== undefined && { egress: spec.egress }),
    limits: {
      ...spec.resources,
      // the time of a service may be extended while it runs: its meter ends it
      wallMs: Math.max(
        1,
        meter === undefined ? spec.timeoutMs : MAX_TASK_TIMEOUT_MS - meter.toldMs,
      ),
      outputBytes: MAX_OUTPUT_BYTES,
      ...(spec.fuel !== undefined && { fuel: spec.fuel }),
    },
    ...(spec.deterministic === true && { seed: taskSeed(work.spec, index) }),
  }
  const what = { agreement: work.id, index, kind: spec.kind, startedAt: parts.clock.now() }
  const onOutput = outputOf(index, log, spec.stream)
  const result = await parts.running.during(task, what, async () => {
    const running = async () => run(task, { signal: until, onOutput })
    return meter === undefined ? running() : meter.during(running)
  })
  signal.throwIfAborted()
  if (result === undefined) return undefined
  if (stopped.aborted && result.reason === 'killed')
    return unfinished(parts.blobs, index, 'killed', stopped.reason)
  const wasAttached = await parts.works.attached.has(work.id, index)
  const said = await keptResult(parts.blobs, index, result)
  const ended = wasAttached ? { ...said, attached: true } : said
  const kept = fitted(meter?.ended(ended) ?? ended, work.tasks.length)
  await parts.works.putEnded(work.id, kept)
  log.output.end(kept)
  // Without its files: the manifest names them, and a thousand of them would not fit a frame.
  log.add({ type: 'done', result: { ...kept, files: [] } })
  return kept
}

/** Where a running task's output goes: to whoever runs this node, to whoever follows, and what it says of its progress. */
function outputOf(
  index: number,
  log: ShareLog,
  isStreamed: boolean,
): NonNullable<RunOptions['onOutput']> {
  const readers = { 1: new ProgressReader(), 2: new ProgressReader() }
  return (stream, chunk) => {
    log.output.add(index, stream, chunk)
    if (isStreamed) log.addOutput(index, stream, chunk)
    const percent = readers[stream].push(chunk)
    if (percent !== undefined) log.add({ type: 'progress', index, percent })
  }
}
