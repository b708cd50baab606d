import { codeOf, HiveError } from '../../domain/errors.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { allEnded } from '../all-ended.ts'
import { answersOf, isTelling, unplacedError, withAnswers } from './answers.ts'
import { openTasks, withResults } from './awarding.ts'
import type { Bidding } from './bidding.ts'
import type { Dealing } from './dealing.ts'
import type { JobBook } from './job-book.ts'
import type { OfferMaker } from './offer-maker.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import { NO_HISTORY, type History, type ShareRunner } from './share-runner.ts'

export interface JobRunnerParts {
  readonly clock: Clock
  readonly offers: OfferMaker
  readonly book: JobBook
  readonly bidding: Bidding
  readonly dealing: Dealing
  readonly shares: ShareRunner
}

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
    const { book, bidding, dealing } = this.#parts
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
    const { shares, refusals } = await dealing.deal(job, offer, tasks, attempt, fresh, signal)
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

  async #share(
    job: JobRecord,
    share: ShareRecord,
    history: History,
    signal: AbortSignal,
  ): Promise<void> {
    const left = await this.#parts.shares.run(job, share, history, signal)
    await this.#place(job, left.tasks, share.attempt + 1, left.history, signal)
  }
}
