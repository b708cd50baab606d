import { codeOf, HiveError, isErrorCode } from '../../domain/errors.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import type { JobSpec } from '../../domain/job-spec.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import { place, type Candidate } from '../../domain/placement.ts'
import { isBillable, type TaskResult } from '../../domain/receipt.ts'
import { believedCapacity, faultsOf } from '../../domain/track-record.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { keccak } from '../../protocol/typed-data.ts'
import { allEnded } from '../all-ended.ts'
import type { Signing } from '../signing.ts'
import { answersOf, isTelling, unplacedError, withAnswers } from './answers.ts'
import { openTasks, withResults, type Awarding } from './awarding.ts'
import type { Bidding, ReceivedBid } from './bidding.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { Following } from './following.ts'
import type { JobBook } from './job-book.ts'
import type { OfferMaker } from './offer-maker.ts'
import type { ProviderMemory } from './provider-memory.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import { verifyShare } from './verifying.ts'

export interface JobRunnerParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly blobs: Blobs
  readonly signing: Signing
  readonly offers: OfferMaker
  readonly book: JobBook
  readonly bidding: Bidding
  readonly awarding: Awarding
  readonly following: Following
  readonly channels: ChannelLedger
  readonly memory: ProviderMemory
  /** Called when a share was paid, so that its voucher gets delivered. */
  readonly onPaid: (provider: Address) => void
}

/** Shares that providers took, and why others did not. */
interface Awarded {
  readonly shares: readonly ShareRecord[]
  readonly refusals: readonly Error[]
}

/** What earlier attempts at some tasks left behind. */
interface History {
  readonly tried: ReadonlySet<Address>
  /** The results of tasks that one provider calls impossible and no other has confirmed. */
  readonly doubted: ReadonlyMap<number, TaskResult>
}

const NO_HISTORY: History = { tried: new Set(), doubted: new Map() }

/** Sees one job through: offers, awards, results, payment, and again elsewhere for what failed. */
export class JobRunner {
  readonly #parts: JobRunnerParts

  constructor(parts: JobRunnerParts) {
    this.#parts = parts
  }

  /**
   * Resolves when every task has a result. Throws `NO_BIDS`, `NO_PROVIDER_LEFT`,
   * `INSUFFICIENT_DEPOSIT` or the signal's reason. Can be called again for a job that was
   * interrupted: shares that are still out are taken up first.
   */
  async run(
    job: JobRecord,
    firstOffer: Signed<'Offer'> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const shares = (await this.#parts.book.sharesOf(job)).filter((share) => !isFinal(share.state))
    const taken = new Set(shares.flatMap((share) => share.tasks))
    const free = openTasks(job).filter((task) => !taken.has(task))
    await allEnded([
      ...shares.map(async (share) => this.#share(job, share, NO_HISTORY, signal)),
      this.#place(job, free, 1, NO_HISTORY, signal, firstOffer),
    ])
  }

  /** Gets `tasks` done: offer, bids, awards, and again elsewhere for what fails, up to the attempts. */
  async #place(
    job: JobRecord,
    tasks: readonly number[],
    attempt: number,
    history: History,
    signal: AbortSignal,
    firstOffer?: Signed<'Offer'>,
  ): Promise<void> {
    if (tasks.length === 0) return
    const { book, bidding } = this.#parts
    const { request } = job
    if (attempt > request.attempts) {
      const lost = await this.#believe(job, tasks, history)
      if (lost.length === 0) return
      throw new HiveError('NO_PROVIDER_LEFT', { tasks: lost.length, attempts: request.attempts })
    }
    const offer = firstOffer ?? this.#parts.offers.make(request, job.specCid, tasks.length)
    await book.change(job.id, (each) => ({
      ...(each.state === 'draft' ? step(each, 'publish') : stepIfAllowed(each, 'retry')),
      offers: each.offers.includes(offer.id) ? each.offers : [...each.offers, offer.id],
    }))
    const outcome = await bidding.collect(offer, request.bidsWanted, signal)
    const fresh = outcome.bids.filter(({ bid }) => !history.tried.has(bid.provider))
    const { shares, refusals } = await this.#awardAll(job, offer, tasks, attempt, fresh, signal)
    const placed = new Set(shares.flatMap((share) => share.tasks))
    const counts = { at: this.#parts.clock.now(), tasks: tasks.length, placed: placed.size }
    const answers = answersOf(outcome, refusals, counts)
    if (isTelling(answers)) await book.change(job.id, (each) => withAnswers(each, answers))
    await allEnded(shares.map(async (share) => this.#share(job, share, history, signal)))
    const unplaced = tasks.filter((task) => !placed.has(task))
    if ((await this.#believe(job, unplaced, history)).length === 0) return
    const short = refusals.find((error) => codeOf(error) === 'INSUFFICIENT_DEPOSIT')
    throw short ?? unplacedError(answers, fresh.length)
  }

  /** Takes the word of the one provider that was heard, where no other can be had. Returns the tasks without any. */
  async #believe(
    job: JobRecord,
    tasks: readonly number[],
    { doubted }: History,
  ): Promise<readonly number[]> {
    const believed = tasks.flatMap((task) => doubted.get(task) ?? [])
    if (believed.length > 0)
      await this.#parts.book.change(job.id, (each) => withResults(each, believed))
    return tasks.filter((task) => !doubted.has(task))
  }

  /** Awards until all tasks are taken; who declines an award leaves its tasks to the other bidders. */
  async #awardAll(
    job: JobRecord,
    offer: Signed<'Offer'>,
    tasks: readonly number[],
    attempt: number,
    bids: readonly ReceivedBid[],
    signal: AbortSignal,
  ): Promise<Awarded> {
    if (tasks.length === 0) return { shares: [], refusals: [] }
    const { clock, awarding, logger } = this.#parts
    const byProvider = new Map(bids.map((each) => [each.bid.provider, each]))
    const candidates = await Promise.all(bids.map(async (each) => this.#candidate(offer.id, each)))
    const placements = place(offer.message, tasks, candidates, clock.now())
    if (placements.length === 0) return { shares: [], refusals: [] }
    const shares: ShareRecord[] = []
    const refusals: Error[] = []
    const refused = new Set<Address>()
    const left: number[] = []
    await allEnded(
      placements.map(async (placement) => {
        const { provider, tasks: own } = placement
        const bid = byProvider.get(provider)
        try {
          if (bid === undefined) throw new HiveError('INTERNAL', { provider })
          shares.push(await awarding.award(job, offer, bid, placement, attempt, signal))
        } catch (error) {
          logger.warn('award declined', { provider, code: codeOf(error), message: String(error) })
          refusals.push(
            error instanceof Error ? error : new HiveError('INTERNAL', {}, { cause: error }),
          )
          refused.add(provider)
          left.push(...own)
        }
      }),
    )
    if (shares.length > 0)
      await this.#parts.book.change(job.id, (each) => stepIfAllowed(each, 'award'))
    // Those who have signed are seen to by their share, which tells them to stop.
    if (signal.aborted) return { shares, refusals }
    const others = bids.filter(({ bid }) => !refused.has(bid.provider))
    const rest = await this.#awardAll(
      job,
      offer,
      left.sort((a, b) => a - b),
      attempt,
      others,
      signal,
    )
    return { shares: [...shares, ...rest.shares], refusals: [...refusals, ...rest.refusals] }
  }

  /** Sees one share through: follow, verify, pay; what it leaves undone is placed elsewhere. */
  async #share(
    job: JobRecord,
    share: ShareRecord,
    history: History,
    signal: AbortSignal,
  ): Promise<void> {
    let left: readonly number[] = share.tasks
    let doubted = history.doubted
    const { clock, memory } = this.#parts
    const began = clock.now()
    try {
      const open = await this.#followAndPay(job.request.spec, share, history, signal)
      left = open.map(({ index }) => index)
      const failed = open.some(({ reason }) => reason === 'killed' || reason === 'start-failed')
      if (failed) await memory.failed(share.provider)
      else
        await memory.delivered(
          share.provider,
          share.tasks.length - open.length,
          clock.now() - began,
        )
      const bad = open.filter(({ reason }) => reason === 'image-bad')
      doubted = new Map([...doubted, ...bad.map((result) => [result.index, result] as const)])
    } catch (error) {
      await this.#abandon(share, error, signal)
    }
    const tried = new Set([...history.tried, share.provider])
    await this.#place(job, left, share.attempt + 1, { tried, doubted }, signal)
  }

  /** Returns the results of the tasks that the provider could not run. */
  async #followAndPay(
    spec: JobSpec,
    share: ShareRecord,
    { doubted }: History,
    signal: AbortSignal,
  ): Promise<readonly TaskResult[]> {
    const { awarding, following, book, channels } = this.#parts
    const known = this.#parts.signing.open('Agreement', fromHex(share.agreement))
    const current = known.signatories.length === 2 ? share : await awarding.send(share, signal)
    const last = await following.toTheEnd(current, signal)
    if (last.type === 'failed') throw new HiveError('PROVIDER_FAILED', { reason: last.code })
    const receivedAs = (await book.share(share.id)) ?? current
    const verifying = {
      ...stepIfAllowed(receivedAs, 'verify'),
      receipt: toHex(last.receipt),
      manifest: last.manifest,
    }
    await book.putShare(verifying)
    const { receipt, results } = await verifyShare(this.#parts, verifying, spec, last, signal)
    // Independent providers that agree are believed; one alone may be lazy, or broken.
    const isDone = ({ index, reason }: TaskResult) =>
      isBillable(reason) || (reason === 'image-bad' && doubted.has(index))
    const settled = { ...step(verifying, 'settle'), amount: receipt.amount }
    const paid = { seq: share.seq, agreement: share.id, amount: receipt.amount }
    await book.settleShare(
      settled,
      (each) => withResults(each, results.filter(isDone)),
      async (changes) => channels.settle(share.provider, paid, changes),
    )
    this.#parts.onPaid(share.provider)
    return results.filter((result) => !isDone(result))
  }

  async #abandon(share: ShareRecord, error: unknown, signal: AbortSignal): Promise<void> {
    const { awarding, book, channels, logger } = this.#parts
    // A node that stops leaves the share as it is: the next start takes it up.
    if (codeOf(signal.reason) === 'CANCELLED') throw error
    const cancelled = signal.aborted
    const told = await awarding.stop(share)
    const current = (await book.share(share.id)) ?? share
    if (!isFinal(current.state)) {
      await book.putShare({
        ...stepIfAllowed(current, cancelled ? 'cancel' : 'fail'),
        error: reasonOf(error),
      })
    }
    await channels.release(share.provider, share.id, told)
    if (cancelled) throw error
    await this.#parts.memory.failed(share.provider)
    logger.warn('share failed', {
      provider: share.provider,
      agreement: share.id,
      code: reasonOf(error),
    })
  }

  async #candidate(offer: Bytes32, { bid }: ReceivedBid): Promise<Candidate> {
    const { clock, channels, memory } = this.#parts
    const record = await memory.get(bid.provider)
    return {
      bid,
      affine: channels.has(bid.provider),
      faults: faultsOf(record, clock.now()),
      capacity: believedCapacity(record, bid.capacity),
      proven: record.delivered > 0,
      msPerTask: record.msPerTask ?? Infinity,
      lot: keccak(new TextEncoder().encode(`${offer} ${bid.provider}`)),
    }
  }
}

/** Why a share failed: in the provider's own word where it gave one. */
function reasonOf(error: unknown): ErrorCode {
  const reason = error instanceof HiveError ? error.data['reason'] : undefined
  return codeOf(error) === 'PROVIDER_FAILED' && isErrorCode(reason) ? reason : codeOf(error)
}
