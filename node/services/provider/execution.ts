import { HiveError } from '../../domain/errors.ts'
import { contentBytesOf, expand, type JobSpec } from '../../domain/job-spec.ts'
import { step, stepIfAllowed } from '../../domain/job-state.ts'
import { taskNeedOf } from '../../domain/task-need.ts'
import type { GpuDevice } from '../../domain/gpu-need.ts'
import { askFault, askOf } from '../../domain/offer-ask.ts'
import { ProgressReader } from '../../domain/progress-mark.ts'
import { isBillable, type OutputFile, type TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Registries } from '../../ports/registries.ts'
import type {
  LeftTasks,
  RunOptions,
  Sandbox,
  SandboxFile,
  SandboxResult,
  SandboxTask,
} from '../../ports/sandbox.ts'
import { toHex } from '../../protocol/bytes.ts'
import { blockCid, cidDigest } from '../../protocol/cid.ts'
import { decodeJobSpec } from '../../protocol/job-spec-codec.ts'
import { MAX_OUTPUT_BYTES, MAX_SPEC_BYTES } from '../../protocol/limits.ts'
import { randomBytes32 } from '../../protocol/random.ts'
import { encodeManifest, fitted, manifestRoot, resultCommit } from '../../protocol/results.ts'
import { taskSeed } from '../../protocol/task-seed.ts'
import { ZERO_BYTES32 } from '../../domain/ids.ts'
import { allEnded } from '../all-ended.ts'
import type { Signing } from '../signing.ts'
import { withinTime } from '../time-limit.ts'
import { bringShare, FETCH_TIMEOUT_MS } from './arrival.ts'
import { mayBeginAgain } from './begin-again.ts'
import { Contents } from './contents.ts'
import type { ContentRoom } from './content-room.ts'
import { taskId, type WorkRecord } from './records.ts'
import type { ShareLog } from './share-log.ts'
import type { TaskRegister } from '../monitoring/task-register.ts'
import type { SecretIntake } from './secret-intake.ts'
import { secretly, type TaskRunner } from './secretly.ts'
import type { Slots } from './slots.ts'
import type { WorkBook } from './work-book.ts'

export interface ExecutionParts {
  readonly clock: Clock
  readonly blobs: Blobs
  readonly signing: Signing
  readonly works: WorkBook
  readonly slots: Slots
  readonly sandboxes: readonly Sandbox[]
  readonly room: ContentRoom
  readonly secrets: SecretIntake
  readonly registries?: Registries
  readonly running: TaskRegister
}

const MAX_DETAIL_CHARS = 1000

/** One task of a share under way. */
interface TaskAttempt {
  readonly work: WorkRecord
  readonly spec: JobSpec
  readonly sandbox: TaskRunner
  readonly contents: Contents
  readonly index: number
  readonly log: ShareLog
  readonly signal: AbortSignal
}

/** Where a running task's output goes: to whoever follows, and what it says of its progress in any case. */
function outputOf(
  index: number,
  log: ShareLog,
  isStreamed: boolean,
): NonNullable<RunOptions['onOutput']> {
  const readers = { 1: new ProgressReader(), 2: new ProgressReader() }
  return (stream, chunk) => {
    if (isStreamed) log.addOutput(index, stream, chunk)
    const percent = readers[stream].push(chunk)
    if (percent !== undefined) log.add({ type: 'progress', index, percent })
  }
}

/** Does a share: fetch, run every task, publish the results, sign the one receipt. */
export class Execution {
  readonly #parts: ExecutionParts

  constructor(parts: ExecutionParts) {
    this.#parts = parts
  }

  /** Resolves with the record that carries the receipt. Throws what stopped the share as a whole. */
  async run(awarded: WorkRecord, signal: AbortSignal): Promise<WorkRecord> {
    const { works } = this.#parts
    const log = works.log(awarded)
    const fetching = await this.#enter(awarded, 'fetch', log)
    const limit = { ms: FETCH_TIMEOUT_MS, code: 'FETCH_TIMEOUT', signal } as const
    const { spec, sandbox, contents, room } = await withinTime(
      this.#parts.clock,
      limit,
      async (limited) => this.#fetch(fetching, limited),
    )
    using _room = room
    using secrets = await this.#parts.secrets.of(fetching, spec.secrets, signal)
    const running = await this.#enter(fetching, 'run', log)
    const runner = secretly(sandbox, secrets)
    const results = await this.#tasks(running, spec, runner, contents, log, signal)
    return this.#publish(await this.#enter(running, 'publish-results', log), results)
  }

  /** Brings what the share needs; its room is the caller's to dispose. */
  async #fetch(work: WorkRecord, signal: AbortSignal) {
    const spec = await this.#spec(work, signal)
    const sandbox = this.#parts.sandboxes.find(({ kind }) => kind === spec.kind)
    if (sandbox === undefined) throw new HiveError('SANDBOX_UNAVAILABLE', { kind: spec.kind })
    using taken = new DisposableStack()
    taken.use(this.#parts.room.take(contentBytesOf(spec, work.tasks)))
    const contents = new Contents(this.#parts.blobs, work.peer, this.#parts.registries)
    await bringShare(contents, spec, sandbox, signal)
    return { spec, sandbox, contents, room: taken.move() }
  }

  /** Runs every task; one that cannot be run at all stops the others, which nobody will pay for. */
  async #tasks(
    work: WorkRecord,
    spec: JobSpec,
    sandbox: TaskRunner,
    contents: Contents,
    log: ShareLog,
    signal: AbortSignal,
  ): Promise<TaskResult[]> {
    const failed = new AbortController()
    const either = AbortSignal.any([signal, failed.signal])
    const ended = await this.#parts.works.endedTasks(work.id)
    const run = async (index: number) =>
      this.#taskFromWhereItStands(
        { work, spec, sandbox, contents, index, log, signal: either },
        ended.get(index),
      )
    const tasks = work.tasks.map(async (index) =>
      run(index).catch((error: unknown) => {
        failed.abort(error)
        throw failed.signal.reason
      }),
    )
    return allEnded(tasks)
  }

  /** A task's result: on record, of what ran on through a restart, or of a run from the start. */
  async #taskFromWhereItStands(
    attempt: TaskAttempt,
    ended: TaskResult | undefined,
  ): Promise<TaskResult> {
    const { slots, clock } = this.#parts
    const { work, sandbox, index, log, signal } = attempt
    if (ended !== undefined) {
      log.add({ type: 'done', result: { ...ended, files: [] } })
      return ended
    }
    const need = taskNeedOf(work.ask)
    const { left } = sandbox
    if (left?.ids.has(taskId(work.id, index))) {
      const resumed = await slots.occupy(need, async () => this.#task(attempt, [], left))
      if (resumed !== undefined) return resumed
    }
    if (work.restarts !== undefined) await mayBeginAgain(clock, work, log, signal)
    const result = await slots.use(need, signal, async (gpus) => this.#task(attempt, gpus))
    if (result === undefined) throw new HiveError('INTERRUPTED')
    return result
  }

  async #enter(
    before: WorkRecord,
    event: 'fetch' | 'run' | 'publish-results',
    log: ShareLog,
  ): Promise<WorkRecord> {
    // one that is taken up again may be further already
    const work = before.restarts === undefined ? step(before, event) : stepIfAllowed(before, event)
    await this.#parts.works.put(work)
    log.add({ type: 'state', state: work.state })
    return work
  }

  /** The spec as the requester published it, if it asks for what the offer asked for. */
  async #spec(work: WorkRecord, signal: AbortSignal): Promise<JobSpec> {
    const options = { from: work.peer, maxBytes: MAX_SPEC_BYTES, signal }
    const spec = decodeJobSpec(await this.#parts.blobs.getBlock(blockCid(work.spec), options))
    // the bid was for what the offer said: its sandbox, its walls, its policy and its price
    const field = askFault(work.ask, askOf(spec, cidDigest(spec.image.cid)))
    if (field !== undefined)
      throw new HiveError('SPEC_INVALID', { reason: 'it asks for more than the offer', field })
    const last = work.tasks.at(-1) ?? 0
    if (last >= spec.tasks)
      throw new HiveError('SPEC_INVALID', { reason: 'no such task', task: last })
    return spec
  }

  /** Runs a task, or takes it up where it was left; `undefined` when that cannot be. */
  async #task(
    { work, spec, sandbox, contents, index, log, signal }: TaskAttempt,
    gpus: readonly GpuDevice[],
    left?: LeftTasks,
  ): Promise<TaskResult | undefined> {
    const { stdin, files } = await contents.of(spec, index, signal)
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
        wallMs: spec.timeoutMs,
        outputBytes: MAX_OUTPUT_BYTES,
        ...(spec.fuel !== undefined && { fuel: spec.fuel }),
      },
      ...(spec.deterministic === true && { seed: taskSeed(work.spec, index) }),
    }
    const what = { agreement: work.id, index, kind: spec.kind, startedAt: this.#parts.clock.now() }
    const result = await this.#parts.running.during(task, what, async () =>
      run(task, { signal, onOutput: outputOf(index, log, spec.stream) }),
    )
    signal.throwIfAborted()
    if (result === undefined) return undefined
    const kept = fitted(await this.#keep(index, result), work.tasks.length)
    await this.#parts.works.putEnded(work.id, kept)
    // Without its files: the manifest names them, and a thousand of them would not fit a frame.
    log.add({ type: 'done', result: { ...kept, files: [] } })
    return kept
  }

  /** Turns result bytes into content of this node. */
  async #keep(index: number, result: SandboxResult): Promise<TaskResult> {
    const add = async ({ path, bytes }: SandboxFile): Promise<OutputFile> => ({
      path,
      cid: await this.#parts.blobs.add(bytes),
      size: bytes.byteLength,
    })
    const { reason, exitCode, usage } = result
    const round = (value: number) => Math.max(0, Math.round(value))
    return {
      index,
      reason,
      exitCode,
      detail: result.detail.slice(0, MAX_DETAIL_CHARS).toWellFormed(),
      stdout: await add({ path: '/stdout', bytes: result.stdout }),
      stderr: await add({ path: '/stderr', bytes: result.stderr }),
      files: await Promise.all(result.files.map(add)),
      usage: {
        wallMs: round(usage.wallMs),
        cpuMs: round(usage.cpuMs),
        peakMemoryBytes: round(usage.peakMemoryBytes),
        bytesIn: round(usage.bytesIn),
        bytesOut: round(usage.bytesOut),
        ...(usage.fuel !== undefined && { fuel: usage.fuel }),
      },
    }
  }

  async #publish(work: WorkRecord, results: readonly TaskResult[]): Promise<WorkRecord> {
    const { blobs, signing, works, clock } = this.#parts
    const bytes = encodeManifest(results)
    const manifest = await blobs.add(bytes)
    const dataRoot = manifestRoot(bytes)
    const salt = randomBytes32()
    const completed = results.filter(({ reason }) => isBillable(reason)).length
    const amount = (work.price / BigInt(work.tasks.length)) * BigInt(completed)
    const receipt = signing.seal('Receipt', {
      agreement: work.id,
      completed,
      amount,
      resultCommit: resultCommit(work.id, signing.address, dataRoot, salt),
      trace: ZERO_BYTES32,
      dataRoot,
      finishedAt: Math.floor(clock.now() / 1000),
    })
    const done = {
      ...step(work, 'verify'),
      receipt: toHex(receipt.bytes),
      salt,
      manifest,
      amount,
      finishedAt: clock.now(),
    }
    // On record before anyone hears of it: exactly one receipt is ever signed for an agreement.
    await works.put(done)
    return done
  }
}
