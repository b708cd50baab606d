import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import type { CreditTerms } from '../../domain/credit-window.ts'
import type { PriceTerms } from '../../domain/pricing.ts'
import type { Resources } from '../../domain/resources.ts'
import { second } from '../../domain/units.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { MachineState } from '../../ports/machine-state.ts'
import type { Registries } from '../../ports/registries.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import type { Sealer } from '../../ports/sealer.ts'
import type { Store } from '../../ports/store.ts'
import { followRequest, shareRequest } from '../../protocol/requests.ts'
import { groupsHeard } from '../../protocol/topics.ts'
import { encodeShareEvent } from '../../protocol/share-events.ts'
import type { TaskRegister } from '../monitoring/task-register.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { Admission } from './admission.ts'
import { AwardDesk } from './award-desk.ts'
import { classesFor } from './classes.ts'
import { ContentRoom } from './content-room.ts'
import { Credit } from './credit.ts'
import { drained } from './drain.ts'
import { Earnings, type EarningsOptions } from './earnings.ts'
import { Execution } from './execution.ts'
import { gpuPool, type GpusForJobs } from './gpu-pool.ts'
import { over } from './interval-book.ts'
import { Intake, type IntakeOptions, type IntakeParts } from './intake.ts'
import { admissionOf, type PolicyOptions } from './policy-options.ts'
import { taskId, type WorkRecord } from './records.ts'
import { endLeft, goOnAfterRestart } from './restart.ts'
import { SecretIntake, type SecretIntakeOptions } from './secret-intake.ts'
import { Slots } from './slots.ts'
import { UnderWay, type ShareUnderWay } from './under-way.ts'
import { WorkBook } from './work-book.ts'

export interface ProviderParts extends Omit<IntakeParts, 'slots' | 'admission'> {
  readonly store: Store
  readonly escrow: Escrow
  readonly sandboxes: readonly Sandbox[]
  readonly running: TaskRegister
  readonly machine: MachineState
  readonly sealer: Sealer
  /** Where images may come from besides their requesters. */
  readonly registries?: Registries
}

export interface ProviderOptions
  extends
    Omit<IntakeOptions, 'groups'>,
    Omit<PriceTerms, 'leastPrices'>,
    EarningsOptions,
    SecretIntakeOptions {
  /** What is left out of it is as open as in {@link POLICY_DEFAULTS}. */
  readonly policy?: Partial<PolicyOptions>
  /** Tasks that may wait for a slot before the node declines as busy. */
  readonly maxQueue: number
  /** What jobs may use of this machine, together. */
  readonly resources: Resources
  /** What requesters may leave unpaid; left out: CREDIT_DEFAULTS. */
  readonly credit?: CreditTerms
  /** What the shares under way may bring to this node, together. */
  readonly contentBytes: number
  /** Left out: none. */
  readonly gpus?: GpusForJobs
}

/** What was delivered so long before the node is told to stop is not waited for any more, ms. */
const FETCH_ALLOWANCE_MS: number = 10 * second

/** Runs strangers' jobs on this node and gets paid for them. */
export class Provider implements AsyncDisposable {
  readonly works: WorkBook
  readonly earnings: Earnings
  readonly slots: Slots
  readonly #parts: ProviderParts
  readonly admission: Admission
  readonly #intake: Intake
  readonly #desk: AwardDesk
  readonly #execution: Execution
  readonly #stop = new AbortController()
  readonly #underWay: UnderWay
  readonly #following = new Set<object>()
  readonly #work = new TasksInFlight()

  constructor(parts: ProviderParts, options: ProviderOptions) {
    this.#parts = parts
    this.#underWay = new UnderWay(parts.clock)
    this.works = new WorkBook(parts.store)
    this.slots = new Slots(options.resources, gpuPool(parts.sandboxes, options.gpus))
    this.earnings = new Earnings({ ...parts, works: this.works }, options)
    const kinds = classesFor(parts.sandboxes, parts.registries)
    const { slots } = this
    const credit = new Credit({ works: this.works, earnings: this.earnings }, options.credit)
    this.admission = admissionOf({ ...parts, slots, credit }, { ...options, kinds })
    const groups = groupsHeard(kinds, this.slots.gpus.length > 0)
    this.#intake = new Intake(
      { ...parts, slots, admission: this.admission },
      { ...options, groups },
    )
    this.#desk = new AwardDesk({
      ...parts,
      works: this.works,
      earnings: this.earnings,
      admission: this.admission,
      credit,
      standing: (offer) => this.#intake.standing(offer),
      onTaken: (work) => this.#start(work),
    })
    this.#execution = new Execution({
      ...parts,
      works: this.works,
      credit,
      slots: this.slots,
      room: new ContentRoom(options.contentBytes),
      secrets: new SecretIntake(parts, options),
    })
  }

  /** Reads the node's records back, then answers requesters and listens for offers. */
  async start(): Promise<void> {
    const { requests, logger } = this.#parts
    const underWay = await this.works.load()
    await this.earnings.load()
    const restart = { ...this.#parts, works: this.works }
    const { goingOn, ending } = await goOnAfterRestart(restart, underWay)
    for (const work of [...goingOn, ...ending]) this.#start(work)
    for (const { id } of ending) this.#underWay.end(id, 'INTERRUPTED')
    requests.answer('award', async (from, bytes, { signal }) =>
      this.#desk.take(from, bytes, signal),
    )
    requests.answer('voucher', async (from, bytes) => this.earnings.take(from, bytes))
    requests.answer('cancel', async (from, bytes) =>
      this.#cancel(from, shareRequest.decode(bytes).agreement),
    )
    requests.answer('stop', async (from, bytes) =>
      this.#end(from, shareRequest.decode(bytes).agreement),
    )
    requests.answerStream('follow', (from, bytes, { signal }) => this.#follow(from, bytes, signal))
    this.#intake.listen(this.#stop.signal)
    this.#work.start(
      async () => this.#intake.keepUp(this.#stop.signal),
      (error) => logger.error('listening stopped', { code: codeOf(error) }),
    )
    this.#work.start(
      async () => this.admission.watch(this.#stop.signal),
      (error) => logger.error('machine not watched', { message: String(error) }),
    )
    this.#work.start(
      async () => this.earnings.claimLoop(this.#stop.signal),
      (error) => logger.error('claiming stopped', { code: codeOf(error), message: String(error) }),
    )
  }

  /**
   * Takes no new work, and resolves when what is under way has ended and is paid. What has not ended after `drainMs` is
   * stopped, and there is a short while to deliver what it has; when the signal aborts it is given up with `INTERRUPTED` at
   * once. Its requesters hear so.
   */
  async drain(drainMs: number, signal: AbortSignal): Promise<void> {
    this.admission.close()
    const { clock } = this.#parts
    // A requester fetches results when it has heard of them, and pays then.
    const since = clock.now() - FETCH_ALLOWANCE_MS
    await drained(
      {
        clock,
        underWay: () => this.works.openSince(since),
        following: () => this.#following.size,
        end: () => this.#underWay.endAll('INTERRUPTED'),
        interrupt: () => this.#underWay.giveUpAll('INTERRUPTED'),
      },
      drainMs,
      signal,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('INTERRUPTED'))
    await this.#intake.settled()
    await this.#work.settled()
  }

  #start(work: WorkRecord): void {
    this.#work.start(
      async () =>
        this.#underWay.during(work, this.#stop.signal, async (share) => this.#run(work, share)),
      (error) =>
        this.#parts.logger.error('share not recorded', {
          agreement: work.id,
          code: codeOf(error),
          message: String(error),
        }),
    )
  }

  async #run(work: WorkRecord, { signal, stopped }: ShareUnderWay): Promise<void> {
    const { logger } = this.#parts
    try {
      const finished = await this.#execution.run(work, signal, stopped)
      logger.info('share done', { agreement: finished.id, tasks: finished.tasks.length })
    } catch (error) {
      const code = signal.aborted ? codeOf(signal.reason) : codeOf(error)
      logger.warn('share failed', {
        agreement: work.id,
        code,
        message: error instanceof Error ? error.message : String(error),
      })
      await this.#fail(work.id, code)
    } finally {
      const own = new Set(work.tasks.map((index) => taskId(work.id, index)))
      if (work.restarts !== undefined) await endLeft(this.#parts, (id) => own.has(id))
    }
  }

  async #fail(id: Bytes32, code: ReturnType<typeof codeOf>): Promise<void> {
    const current = await this.works.get(id)
    if (current === undefined || isFinal(current.state) || current.receipt !== undefined) return
    const event = code === 'JOB_CANCELLED' ? 'cancel' : 'fail'
    await this.works.putWith({ ...stepIfAllowed(current, event), error: code }, over('due'))
  }

  /** Has a share end with what it has so far; one that has ended stays as it is. */
  async #end(from: PeerId, id: Bytes32): Promise<Uint8Array> {
    await this.#owned(from, id)
    this.#underWay.stop(id, 'JOB_CANCELLED')
    return new Uint8Array()
  }

  async #cancel(from: PeerId, id: Bytes32): Promise<Uint8Array> {
    await this.#owned(from, id)
    // Answered once it is on record: the requester's next award counts on its not being owed any more.
    await this.#underWay.giveUp(id, 'JOB_CANCELLED')
    const work = await this.#owned(from, id)
    // Delivered, but its requester will not pay: not owed any more, so that it blocks no later share.
    const isUnpaid = this.works.intervals.due(id).length > 0
    if (isFinal(work.state)) {
      // Its own failure, and what ran before was not heard: not owed any more.
      if (isUnpaid) await this.works.changeIntervals(id, over('left'))
      return new Uint8Array()
    }
    if (work.receipt !== undefined || isUnpaid) {
      const cancelled = { ...step(work, 'cancel'), error: 'JOB_CANCELLED' } as const
      await this.works.putWith(isUnpaid ? { ...cancelled, isUnpaid } : cancelled, over('left'))
    }
    return new Uint8Array()
  }

  async *#follow(from: PeerId, bytes: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const request = followRequest.decode(bytes)
    const work = await this.#owned(from, request.agreement)
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const log = this.works.log(work)
    const follower = {}
    this.#following.add(follower)
    try {
      for await (const event of log.read(request.from, this.#parts.clock, stop, request.life))
        yield encodeShareEvent(event)
    } finally {
      this.#following.delete(follower)
    }
  }

  /** The share, if it is this requester's. */
  async #owned(from: PeerId, id: Bytes32): Promise<WorkRecord> {
    const work = await this.works.get(id)
    if (work === undefined || work.peer !== from)
      throw new HiveError('AGREEMENT_UNKNOWN', { agreement: id })
    return work
  }
}
