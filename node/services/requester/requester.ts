import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import { offerFault } from '../../domain/offer.ts'
import type { SecretValues } from '../../domain/secret-slot.ts'
import { second } from '../../domain/units.ts'
import { encodeJobSpec } from '../../protocol/job-spec-codec.ts'
import { secretProblems } from '../../protocol/secrets.ts'
import { lookUntil } from '../look-until.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import { Awarding } from './awarding.ts'
import { Bidding } from './bidding.ts'
import { Candidates } from './candidates.ts'
import { ChannelLedger } from './channel-ledger.ts'
import { Dealing } from './dealing.ts'
import { extended, type JobExtension } from './extending.ts'
import { Following } from './following.ts'
import { ForgottenChannels } from './forgotten-channels.ts'
import { requireFunds } from './funds.ts'
import { GivenUp } from './given-up.ts'
import { Metering } from './metering.ts'
import { JobBook } from './job-book.ts'
import { LiveTasks } from './live-tasks.ts'
import { JobLoops } from './job-loops.ts'
import { JobRunner } from './job-runner.ts'
import { OfferMaker } from './offer-maker.ts'
import type { JobOrigin, JobRecord, JobRequest } from './records.ts'
import { ProviderMemory } from './provider-memory.ts'
import { Quoting } from './quoting.ts'
import type { RequesterOptions, RequesterParts } from './requester-options.ts'
import { Reputations } from './reputation.ts'
import { requireCacheable, ResultCache } from './result-cache.ts'
import { SecretHandover } from './secret-handover.ts'
import { SecretVault } from './secret-vault.ts'
import { ShareRunner } from './share-runner.ts'
import { VoucherDelivery } from './voucher-delivery.ts'
import { WaitingLine } from './waiting-line.ts'
import { WorkflowBook } from './workflow-book.ts'
import { mostCost, WorkflowBudgets } from './workflow-budget.ts'

/** How long a node that stops waits for vouchers to be acknowledged, ms: enough for two tries. */
const VOUCHERS_WITHIN_MS: number = 3 * second

/** Publishes jobs from this node and brings back verified results. */
export class Requester implements AsyncDisposable {
  readonly book: JobBook
  /** What tasks under way have told so far. */
  readonly live: LiveTasks
  readonly channels: ChannelLedger
  readonly forgotten: ForgottenChannels
  readonly cache: ResultCache
  readonly quoting: Quoting
  /** What the jobs of workflows may cost. */
  readonly budgets: WorkflowBudgets
  readonly #parts: RequesterParts
  readonly #offers: OfferMaker
  readonly #loops: JobLoops
  readonly #vouchers: VoucherDelivery
  readonly #givenUp: GivenUp
  readonly #vault: SecretVault
  readonly #line: WaitingLine
  readonly #bidding: Bidding
  readonly #reputations: Reputations
  readonly #stop = new AbortController()
  readonly #work = new TasksInFlight()

  constructor(parts: RequesterParts, options: RequesterOptions) {
    this.#parts = parts
    this.book = new JobBook(parts.store)
    const workflows = new WorkflowBook(parts.store)
    this.budgets = new WorkflowBudgets({ book: this.book, workflows })
    this.live = new LiveTasks({ ...parts, book: this.book })
    this.channels = new ChannelLedger(parts, {
      ...options,
      onGivenUp: (provider) => this.#tellGivenUp(provider),
    })
    this.forgotten = new ForgottenChannels(parts)
    this.cache = new ResultCache(parts)
    this.#offers = new OfferMaker(parts, options)
    const shared = { ...parts, book: this.book, live: this.live, channels: this.channels }
    this.#vouchers = new VoucherDelivery(shared)
    this.#givenUp = new GivenUp(shared)
    this.#vault = new SecretVault(parts)
    this.#line = new WaitingLine(parts)
    this.#reputations = new Reputations(parts)
    this.#bidding = new Bidding({ ...parts, reputations: this.#reputations })
    new SecretHandover({ ...shared, vault: this.#vault }, options).answer()
    const awarding = new Awarding(shared)
    const onPaid = (provider: Address) => this.#deliver(provider)
    const metering = new Metering({ ...shared, awarding, onPaid })
    const memory = new ProviderMemory(parts)
    const knowing = { ...shared, memory, reputations: this.#reputations }
    const dealt = { ...shared, memory, awarding, metering }
    const dealing = new Dealing({ ...dealt, candidates: new Candidates(knowing, options) })
    this.quoting = new Quoting({ ...shared, offers: this.#offers, bidding: this.#bidding, dealing })
    const runner = new JobRunner({
      ...shared,
      line: this.#line,
      offers: this.#offers,
      bidding: this.#bidding,
      dealing,
      shares: new ShareRunner({
        ...dealt,
        following: new Following(dealt, options),
        onPaid,
      }),
    })
    this.#loops = new JobLoops({ ...shared, cache: this.cache, vault: this.#vault, runner })
  }

  /** Takes up every unfinished job, and every voucher that was not acknowledged, where they stood. */
  async resume(): Promise<void> {
    await this.channels.load()
    await this.forgotten.load()
    await this.#bidding.load()
    const open = (await this.book.list()).filter((job) => !isFinal(job.state))
    await this.#vault.forgetAllBut(new Set(open.map(({ id }) => id)))
    const shares = (await Promise.all(open.map((job) => this.book.sharesOf(job)))).flat()
    const live = shares
      .filter((share) => !isFinal(share.state))
      .flatMap(({ id, meter }) => [id, ...(meter?.agreed ?? []).map((each) => each.id)])
    await this.channels.releaseAllBut(new Set(live))
    for (const job of open) this.#loops.start(job)
    for (const channel of this.channels.all()) {
      if (channel.acknowledged < channel.jobs) this.#deliver(channel.provider)
      if (channel.givenUp.length > 0) this.#tellGivenUp(channel.provider)
    }
  }

  /**
   * Puts a job on record and starts it. Throws `INSUFFICIENT_DEPOSIT`, or `OFFER_INVALID` for a
   * request that no node would pass on, before anything is announced. `secrets` are those of the
   * spec's slots, and leave this node only for the providers that won the job. `origin` is kept with the job.
   */
  async submit(
    request: JobRequest,
    signal: AbortSignal,
    secrets: SecretValues = new Map(),
    origin?: JobOrigin,
  ): Promise<JobRecord> {
    requireSecrets(request, secrets)
    requireCacheable(request)
    const specCid = await this.#parts.blobs.addBlock(encodeJobSpec(request.spec))
    const results = await this.cache.answer(request, specCid)
    const open = results.filter((result) => result === null).length
    const cached = results.length - open
    await requireFunds({ ...this.#parts, channels: this.channels }, request, open, signal)
    // A job is named by an offer, also when nobody will need to hear it.
    const offer = this.#offers.make(request, specCid, Math.max(1, open))
    const fault = offerFault(offer.message, this.#parts.clock.now(), offer.message.network)
    if (fault !== undefined) throw new HiveError(fault.code, { rule: fault.rule })
    const job: JobRecord = {
      id: offer.id,
      state: 'draft',
      request,
      specCid,
      ...(origin !== undefined && { origin }),
      createdAt: this.#parts.clock.now(),
      offers: [offer.id],
      shares: [],
      results,
      ...(cached > 0 && { cached }),
    }
    // First, so that no job is ever on record without its secrets; a stray box goes at the next start.
    if (secrets.size > 0) await this.#vault.keep(job.id, secrets)
    await this.book.add(job)
    this.#loops.start(job, offer)
    return job
  }

  /**
   * Ends a job; tasks that were paid stay paid, and those that have ended are fetched and paid. A second time they are
   * given up. Resolves when the job has ended, or the signal aborts. Throws `JOB_UNKNOWN`.
   */
  async cancel(idOrStart: string, signal: AbortSignal = this.#stop.signal): Promise<JobRecord> {
    return this.#loops.cancel(await this.book.find(idOrStart), signal)
  }

  /**
   * Gives a job under way more time, attempts, price or budget. Throws `JOB_UNKNOWN`, `WORKFLOW_BUDGET` for the job of a
   * step that could then cost more than is left for it, and as {@link extended} does.
   */
  async extend(idOrStart: string, extension: JobExtension): Promise<JobRecord> {
    const { id, origin } = await this.book.find(idOrStart)
    if (origin === undefined) return this.#extend(id, extension)
    return this.budgets.inTurn(origin.workflow, async () => {
      const job = await this.book.get(id)
      const after = extended(job, await this.book.sharesOf(job), extension)
      await this.budgets.require(origin.workflow, origin.step, mostCost(after.request), id)
      return this.#extend(id, extension)
    })
  }

  /** Notes that the owner of a job that is over has its results, so that they need not be kept for that. */
  async fetched(idOrStart: string): Promise<JobRecord> {
    const { id } = await this.book.find(idOrStart)
    return this.book.change(id, (each) =>
      isFinal(each.state) ? { ...each, fetchedAt: this.#parts.clock.now() } : each,
    )
  }

  /**
   * Has a service end with what it has so far; a job that no provider has yet is cancelled. Throws `JOB_UNKNOWN`, and
   * `JOB_NOT_A_SERVICE`.
   */
  async stop(idOrStart: string): Promise<JobRecord> {
    const job = await this.book.find(idOrStart)
    if (job.request.spec.service === undefined)
      throw new HiveError('JOB_NOT_A_SERVICE', { id: job.id })
    if (isFinal(job.state)) return job
    const shares = await this.book.sharesOf(job)
    if (shares.every(({ state }) => isFinal(state)))
      return this.#loops.cancel(job, this.#stop.signal)
    return this.book.change(job.id, (each) => ({ ...each, stopping: true }))
  }

  /**
   * Resolves when every provider knows the vouchers that it has coming, after a few seconds at the latest or when the
   * signal aborts: who is away gets its voucher after the next start.
   */
  async drain(signal: AbortSignal): Promise<void> {
    const isDelivered = () => this.channels.all().every((each) => each.acknowledged >= each.jobs)
    await lookUntil(this.#parts.clock, isDelivered, VOUCHERS_WITHIN_MS, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#loops[Symbol.asyncDispose]()
    await this.#line[Symbol.asyncDispose]()
    await this.#reputations[Symbol.asyncDispose]()
    await this.#work.settled()
  }

  async #extend(id: Bytes32, extension: JobExtension): Promise<JobRecord> {
    const shares = await this.book.sharesOf(await this.book.get(id))
    const job = await this.book.change(id, (each) => extended(each, shares, extension))
    this.#line.wake()
    return job
  }

  #deliver(provider: Address): void {
    this.#work.start(
      async () => this.#vouchers.deliver(provider, this.#stop.signal),
      (error) =>
        this.#parts.logger.warn('voucher delivery stopped', { provider, code: codeOf(error) }),
    )
  }

  #tellGivenUp(provider: Address): void {
    this.#work.start(
      async () => this.#givenUp.tell(provider, this.#stop.signal),
      (error) => this.#parts.logger.warn('telling stopped', { provider, code: codeOf(error) }),
    )
  }
}

/** Throws `INPUT_INVALID` unless there is one value, and one that fits, for each slot. */
function requireSecrets({ spec }: JobRequest, secrets: SecretValues): void {
  const problems = secretProblems(spec.secrets ?? [], secrets)
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
}
