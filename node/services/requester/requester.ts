import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import { isFinal, stepIfAllowed } from '../../domain/job-state.ts'
import { offerFault } from '../../domain/offer.ts'
import type { SecretValues } from '../../domain/secret-slot.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { Gossip } from '../../ports/gossip.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import type { Sealer } from '../../ports/sealer.ts'
import type { Store } from '../../ports/store.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { encodeJobSpec } from '../../protocol/job-spec-codec.ts'
import { secretProblems } from '../../protocol/secrets.ts'
import type { Signing } from '../signing.ts'
import { TasksInFlight } from '../tasks-in-flight.ts'
import { Awarding } from './awarding.ts'
import { Bidding } from './bidding.ts'
import { ChannelLedger, type ChannelLedgerOptions } from './channel-ledger.ts'
import { Following, type FollowingOptions } from './following.ts'
import { JobBook } from './job-book.ts'
import { JobRunner } from './job-runner.ts'
import { OfferMaker } from './offer-maker.ts'
import type { JobRecord, JobRequest } from './records.ts'
import { ProviderMemory } from './provider-memory.ts'
import { SecretHandover } from './secret-handover.ts'
import { SecretVault } from './secret-vault.ts'
import { VoucherDelivery } from './voucher-delivery.ts'

export interface RequesterParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly gossip: Gossip
  readonly requests: Requests
  readonly blobs: Blobs
  readonly escrow: Escrow
  readonly signing: Signing
  readonly sealer: Sealer
}

export interface RequesterOptions extends ChannelLedgerOptions, FollowingOptions {
  readonly network: string
}

/** Publishes jobs from this node and brings back verified results. */
export class Requester implements AsyncDisposable {
  readonly book: JobBook
  readonly channels: ChannelLedger
  readonly #parts: RequesterParts
  readonly #offers: OfferMaker
  readonly #runner: JobRunner
  readonly #vouchers: VoucherDelivery
  readonly #vault: SecretVault
  readonly #stop = new AbortController()
  readonly #running = new Map<Bytes32, AbortController>()
  readonly #work = new TasksInFlight()

  constructor(parts: RequesterParts, options: RequesterOptions) {
    this.#parts = parts
    this.book = new JobBook(parts.store)
    this.channels = new ChannelLedger(parts, options)
    this.#offers = new OfferMaker(parts, options)
    const shared = { ...parts, book: this.book, channels: this.channels }
    this.#vouchers = new VoucherDelivery(shared)
    this.#vault = new SecretVault(parts)
    new SecretHandover({ ...shared, vault: this.#vault }, options).answer()
    this.#runner = new JobRunner({
      ...shared,
      offers: this.#offers,
      memory: new ProviderMemory(parts),
      bidding: new Bidding(parts),
      awarding: new Awarding(shared),
      following: new Following(shared, options),
      onPaid: (provider) => this.#deliver(provider),
    })
  }

  /** Takes up every unfinished job, and every voucher that was not acknowledged, where they stood. */
  async resume(): Promise<void> {
    await this.channels.load()
    const open = (await this.book.list()).filter((job) => !isFinal(job.state))
    await this.#vault.forgetAllBut(new Set(open.map(({ id }) => id)))
    const shares = (await Promise.all(open.map((job) => this.book.sharesOf(job)))).flat()
    const live = shares.filter((share) => !isFinal(share.state)).map(({ id }) => id)
    await this.channels.releaseAllBut(new Set(live))
    for (const job of open) this.#start(job)
    for (const channel of this.channels.all()) {
      if (channel.acknowledged < channel.jobs) this.#deliver(channel.provider)
    }
  }

  /**
   * Puts a job on record and starts it. Throws `INSUFFICIENT_DEPOSIT`, or `OFFER_INVALID` for a
   * request that no node would pass on, before anything is announced. `secrets` are those of the
   * spec's slots, and leave this node only for the providers that won the job.
   */
  async submit(
    request: JobRequest,
    signal: AbortSignal,
    secrets: SecretValues = new Map(),
  ): Promise<JobRecord> {
    requireSecrets(request, secrets)
    await this.#requireFunds(request, signal)
    const specCid = await this.#parts.blobs.addBlock(encodeJobSpec(request.spec))
    const offer = this.#offers.make(request, specCid, request.spec.tasks)
    const fault = offerFault(offer.message, this.#parts.clock.now(), offer.message.network)
    if (fault !== undefined) throw new HiveError(fault.code, { rule: fault.rule })
    const job: JobRecord = {
      id: offer.id,
      state: 'draft',
      request,
      specCid,
      createdAt: this.#parts.clock.now(),
      offers: [offer.id],
      shares: [],
      results: Array.from({ length: request.spec.tasks }, () => null),
    }
    // First, so that no job is ever on record without its secrets; a stray box goes at the next start.
    if (secrets.size > 0) await this.#vault.keep(job.id, secrets)
    await this.book.add(job)
    this.#start(job, offer)
    return job
  }

  /** Stops a job; tasks that were paid stay paid. Throws `JOB_UNKNOWN`. */
  async cancel(idOrStart: string): Promise<JobRecord> {
    const job = await this.book.find(idOrStart)
    if (isFinal(job.state)) return job
    const cancelled = await this.book.change(job.id, (each) =>
      this.#ended(each, 'cancel', 'JOB_CANCELLED'),
    )
    this.#running.get(job.id)?.abort(new HiveError('JOB_CANCELLED', { id: job.id }))
    await this.#vault.forget(job.id)
    return cancelled
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new HiveError('CANCELLED'))
    await this.#work.settled()
  }

  #start(job: JobRecord, firstOffer?: Signed<'Offer'>): void {
    const control = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, control.signal])
    this.#running.set(job.id, control)
    this.#work.start(
      async () => this.#run(job, firstOffer, signal).finally(() => this.#running.delete(job.id)),
      (error) =>
        this.#parts.logger.error('job loop failed', {
          job: job.id,
          code: codeOf(error),
          message: String(error),
        }),
    )
  }

  async #run(
    job: JobRecord,
    firstOffer: Signed<'Offer'> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#runner.run(job, firstOffer, signal)
      await this.book.change(job.id, (each) => ({
        ...settled(each),
        finishedAt: this.#parts.clock.now(),
      }))
      await this.#vault.forget(job.id)
    } catch (error) {
      // Stopping the node leaves the job as it is: the next start takes it up. A cancelled one has ended.
      if (signal.aborted) return
      this.#parts.logger.warn('job failed', { job: job.id, code: codeOf(error) })
      await this.book.change(job.id, (each) => this.#ended(each, 'fail', codeOf(error), error))
      await this.#vault.forget(job.id)
    }
  }

  #ended(
    job: JobRecord,
    event: 'fail' | 'cancel',
    code: ReturnType<typeof codeOf>,
    cause?: unknown,
  ): JobRecord {
    if (isFinal(job.state)) return job
    const data = cause instanceof HiveError ? cause.data : {}
    return {
      ...stepIfAllowed(job, event),
      finishedAt: this.#parts.clock.now(),
      error: { code, data },
    }
  }

  #deliver(provider: Address): void {
    this.#work.start(
      async () => this.#vouchers.deliver(provider, this.#stop.signal),
      (error) =>
        this.#parts.logger.warn('voucher delivery stopped', { provider, code: codeOf(error) }),
    )
  }

  async #requireFunds(request: JobRequest, signal: AbortSignal): Promise<void> {
    const { escrow, signing } = this.#parts
    const needed = request.maxPrice * BigInt(request.spec.tasks)
    const { free } = await escrow.balances(signing.address, { signal })
    const available = free + this.channels.uncommitted()
    if (available < needed) throw new HiveError('INSUFFICIENT_DEPOSIT', { available, needed })
  }
}

/** Throws `INPUT_INVALID` unless there is one value, and one that fits, for each slot. */
function requireSecrets({ spec }: JobRequest, secrets: SecretValues): void {
  const problems = secretProblems(spec.secrets ?? [], secrets)
  if (problems.length > 0) throw new HiveError('INPUT_INVALID', { problems })
}

/** A job whose tasks all have results, brought to its end along the transition table. */
function settled(job: JobRecord): JobRecord {
  return stepIfAllowed(stepIfAllowed(stepIfAllowed(job, 'award'), 'verify'), 'settle')
}
