import { HiveError } from '../../domain/errors.ts'
import { contentBytesOf, type JobSpec } from '../../domain/job-spec.ts'
import { step, stepIfAllowed } from '../../domain/job-state.ts'
import { isMetered } from '../../domain/metering.ts'
import { askFault, askOf } from '../../domain/offer-ask.ts'
import type { TaskResult } from '../../domain/receipt.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Registries } from '../../ports/registries.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import { blockCid, cidDigest } from '../../protocol/cid.ts'
import { decodeJobSpec } from '../../protocol/job-spec-codec.ts'
import { MAX_SPEC_BYTES } from '../../protocol/limits.ts'
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
import type { Credit } from './credit.ts'
import { Meter } from './meter.ts'
import type { HeldImages } from './held-images.ts'
import type { PaceBook } from './pace-book.ts'
import { publishShare } from './publishing.ts'
import { secretly } from './secretly.ts'
import type { Slots } from './slots.ts'
import { runTask, type TaskAttempt } from './task-run.ts'
import type { WorkBook } from './work-book.ts'

export interface ExecutionParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly credit: Credit
  readonly blobs: Blobs
  readonly signing: Signing
  readonly works: WorkBook
  readonly slots: Slots
  readonly pace: PaceBook
  readonly images: HeldImages
  readonly sandboxes: readonly Sandbox[]
  readonly room: ContentRoom
  readonly secrets: SecretIntake
  readonly registries?: Registries
  readonly running: TaskRegister
}

/** Does a share: fetch, run every task, publish the results, sign the one receipt. */
export class Execution {
  readonly #parts: ExecutionParts

  constructor(parts: ExecutionParts) {
    this.#parts = parts
  }

  /**
   * Resolves with the record that carries the receipt. Throws what stopped the share as a whole. `stopped` ends a
   * service with what it has so far.
   */
  async run(
    awarded: WorkRecord,
    signal: AbortSignal,
    stopped: AbortSignal = new AbortController().signal,
  ): Promise<WorkRecord> {
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
    const meter = isMetered(running.ask) ? new Meter(this.#parts, running, log, stopped) : undefined
    const attempt = { work: running, spec, sandbox: runner, contents, log, ...(meter && { meter }) }
    const results = await this.#tasks(attempt, signal)
    const ended = await this.#enter(running, 'publish-results', log)
    return publishShare(this.#parts, ended, results, meter?.close())
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
    this.#parts.images.note(spec.image.cid)
    return { spec, sandbox, contents, room: taken.move() }
  }

  /** Runs every task; one that cannot be run at all stops the others, which nobody will pay for. */
  async #tasks(
    attempt: Omit<TaskAttempt, 'index' | 'signal'>,
    signal: AbortSignal,
  ): Promise<TaskResult[]> {
    const { work } = attempt
    const failed = new AbortController()
    const either = AbortSignal.any([signal, failed.signal])
    const ended = await this.#parts.works.endedTasks(work.id)
    const run = async (index: number) =>
      this.#taskFromWhereItStands({ ...attempt, index, signal: either }, ended.get(index))
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
    const { slots, pace, clock } = this.#parts
    const { work, sandbox, index, log, signal } = attempt
    if (ended !== undefined) {
      slots.skip(work.id)
      log.add({ type: 'done', result: { ...ended, files: [] } })
      return ended
    }
    const { left } = sandbox
    if (left?.ids.has(taskId(work.id, index))) {
      const resumed = await slots.occupy(work.id, async () =>
        runTask(this.#parts, attempt, [], left),
      )
      if (resumed !== undefined) return resumed
    }
    if (work.restarts !== undefined) {
      const finishBy = this.#parts.works.intervals.finishBy(work)
      await mayBeginAgain(clock, { ...work, finishBy }, log, signal)
    }
    const result = await slots.use(work.id, signal, async (gpus) =>
      pace.during(work.requester, work.ask, async () => runTask(this.#parts, attempt, gpus)),
    )
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
}
