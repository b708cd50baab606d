import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32, PeerId } from '../../domain/ids.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import { second } from '../../domain/units.ts'
import { followRequest, shareRequest } from '../../protocol/requests.ts'
import { groupsHeard } from '../../protocol/topics.ts'
import { encodeShareEvent } from '../../protocol/share-events.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import type { Admission } from './admission.ts'
import { AwardDesk } from './award-desk.ts'
import { Booking } from './booking.ts'
import { classesFor, maxDiskByClass } from './classes.ts'
import { ContentRoom } from './content-room.ts'
import { Credit } from './credit.ts'
import { drained } from './drain.ts'
import { Earnings } from './earnings.ts'
import { Execution } from './execution.ts'
import { gpuPool } from './gpu-pool.ts'
import { HeldImages } from './held-images.ts'
import { over } from './interval-book.ts'
import { Intake } from './intake.ts'
import { PaceBook } from './pace-book.ts'
import { admissionOf } from './policy-options.ts'
import type { ProviderOptions, ProviderParts } from './provider-options.ts'
import { pulseOf } from './pulse.ts'
import { taskId, type WorkRecord } from './records.ts'
import { endLeft, goOnAfterRestart } from './restart.ts'
import { SecretIntake } from './secret-intake.ts'
import { Slots } from './slots.ts'
import { UnderWay, type ShareUnderWay } from './under-way.ts'
import { endUnpayable } from './unpayable.ts'
import { WorkBook } from './work-book.ts'

/** What was delivered so long before the node is told to stop is not waited for any more, ms. */
const FETCH_ALLOWANCE_MS: number = 10 * second

/** Runs strangers' jobs on this node and gets paid for them. */
export class Provider implements AsyncDisposable {
  readonly works: WorkBook
  readonly earnings: Earnings
  readonly slots: Slots
  readonly #parts: ProviderParts
  readonly admission: Admission
  readonly credit: Credit
  readonly #booking: Booking
  readonly #intake: Intake
  readonly #desk: AwardDesk
  readonly #execution: Execution
  readonly #stop = new AbortController()
  readonly #underWay: UnderWay
  readonly #following = new Set<object>()
  readonly #work = new TasksInFlight()

  constructor(parts: ProviderParts, options: ProviderOptions) {
    this.#parts = parts
    this.works = new WorkBook(parts.store)
    this.#underWay = new UnderWay({ clock: parts.clock, works: this.works })
    this.slots = new Slots(parts.clock, options.resources, gpuPool(parts.sandboxes, options.gpus))
    this.earnings = new Earnings({ ...parts, works: this.works }, options)
    const kinds = classesFor(parts.sandboxes, parts.registries)
    const rules = { ...options, kinds, maxDiskBytes: maxDiskByClass(parts.sandboxes) }
    const { slots, works, earnings } = this
    const pace = new PaceBook(parts.clock)
    const images = new HeldImages(parts)
    this.#booking = new Booking({ clock: parts.clock, slots, pace }, options.maxQueue)
    const credit = (this.credit = new Credit({ ...parts, works, earnings }, options.credit))
    this.admission = admissionOf({ ...parts, slots, credit }, rules)
    const groups = groupsHeard(kinds, this.slots.gpus.length > 0)
    this.#intake = new Intake(
      { ...parts, booking: this.#booking, images, admission: this.admission },
      { ...options, groups },
    )
    this.#desk = new AwardDesk({
      ...parts,
      works: this.works,
      earnings: this.earnings,
      admission: this.admission,
      credit,
      booking: this.#booking,
      standing: (offer) => this.#intake.standing(offer),
      onTaken: (work, place) => this.#start(work, place),
    })
    this.#execution = new Execution({
      ...parts,
      works: this.works,
      credit,
      slots: this.slots,
      pace,
      images,
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
    for (const work of [...goingOn, ...ending].toSorted((a, b) => a.startedAt - b.startedAt))
      this.#start(work, this.#booking.book({ ...work, tasks: work.tasks.length }))
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

  /** As {@link endUnpayable}. */
  async endUnpayable(): Promise<number> {
    const { works, earnings } = this
    const { clock } = this.#parts
    return endUnpayable({ clock, works, earnings, underWay: this.#underWay })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('INTERRUPTED'))
    await this.#intake.settled()
    await this.#work.settled()
  }

  #start(work: WorkRecord, place: Disposable): void {
    this.#work.start(
      async () => {
        using _place = place
        await this.#underWay.during(work, this.#stop.signal, async (share) =>
          this.#run(work, share),
        )
      },
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

  async #cancel(from: PeerId, named: Bytes32): Promise<Uint8Array> {
    const { id } = await this.#owned(from, this.works.shareOf(named))
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
    const { agreement, from: at, life } = followRequest.decode(bytes)
    const work = await this.#owned(from, agreement)
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const sign = pulseOf(this.#parts, work)
    const events = this.works.log(work).read(at, this.#parts.clock, stop, life, sign)
    const follower = {}
    this.#following.add(follower)
    try {
      for await (const event of events) yield encodeShareEvent(event)
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
