import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { allEnded } from '../all-ended.ts'
import { answersOf, isTelling, unplacedError, withAnswers } from './answers.ts'
import { openTasks } from './awarding.ts'
import type { Bidding } from './bidding.ts'
import type { Dealing } from './dealing.ts'
import type { JobBook } from './job-book.ts'
import type { OfferMaker } from './offer-maker.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import type { ShareRunner } from './share-runner.ts'
import { dueTasks, historyOf, withResults, type DueTasks, type History } from './task-again.ts'

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
      ...shares.map(async (share) => this.#share(job, share, signal)),
      ...dueTasks(job, free).map(async (due) =>
        this.#place(job.id, due, signal, due.runs === 0 ? firstOffer : undefined),
      ),
    ])
  }

  /** Gets tasks done that are due: offer, bids, awards, and again for what fails, up to the attempts. */
  async #place(
    id: Bytes32,
    { tasks, runs, notBefore }: DueTasks,
    signal: AbortSignal,
    firstOffer?: Signed<'Offer'>,
  ): Promise<void> {
    const { book, bidding, dealing, clock } = this.#parts
    if (notBefore > clock.now()) await clock.sleep(notBefore - clock.now(), signal)
    const job = await book.get(id)
    const { request } = job
    if (runs >= request.attempts) return this.#giveUp(job, tasks)
    const { tried, last } = historyOf(job, runs === 0 ? [] : await book.sharesOf(job), tasks)
    const offer = firstOffer ?? this.#parts.offers.make(request, job.specCid, tasks.length)
    await book.change(id, (each) => ({
      ...(each.state === 'draft' ? step(each, 'publish') : stepIfAllowed(each, 'retry')),
      offers: each.offers.includes(offer.id) ? each.offers : [...each.offers, offer.id],
    }))
    const outcome = await bidding.collect(offer, request.bidsWanted, signal)
    const fresh = outcome.bids.filter(({ bid }) => !tried.has(bid.provider))
    const { shares, refusals } = await dealing.deal(job, offer, tasks, runs + 1, fresh, signal)
    const placed = new Set(shares.flatMap((share) => share.tasks))
    const counts = { at: clock.now(), tasks: tasks.length, placed: placed.size }
    const answers = answersOf(outcome, refusals, counts)
    if (isTelling(answers)) await book.change(id, (each) => withAnswers(each, answers))
    await allEnded(shares.map(async (share) => this.#share(job, share, signal)))
    const unplaced = tasks.filter((task) => !placed.has(task))
    if ((await this.#believe(id, unplaced, last)).length === 0) return
    const short = refusals.find((error) => codeOf(error) === 'INSUFFICIENT_DEPOSIT')
    throw short ?? unplacedError(answers, fresh.length)
  }

  /** Sees a share through, and places what it left undone once that is due. */
  async #share(job: JobRecord, share: ShareRecord, signal: AbortSignal): Promise<void> {
    const { shares, book } = this.#parts
    const { again, givenUp } = await shares.run(job, share, signal)
    const current = await book.get(job.id)
    await allEnded([
      ...dueTasks(current, again).map(async (due) => this.#place(job.id, due, signal)),
      ...(givenUp.length > 0 ? [this.#giveUp(current, givenUp)] : []),
    ])
  }

  /** Throws `NO_PROVIDER_LEFT` unless how these tasks last ended can be their result. */
  async #giveUp(job: JobRecord, tasks: readonly number[]): Promise<void> {
    const { last } = historyOf(job, [], tasks)
    const lost = await this.#believe(job.id, tasks, last)
    if (lost.length === 0) return
    throw new HiveError('NO_PROVIDER_LEFT', {
      tasks: lost.length,
      attempts: job.request.attempts,
    })
  }

  /** Takes how tasks last ended as their results, where nobody runs them again. Returns the others. */
  async #believe(
    id: Bytes32,
    tasks: readonly number[],
    last: History['last'],
  ): Promise<readonly number[]> {
    const believed = tasks.flatMap((task) => last.get(task) ?? [])
    if (believed.length > 0)
      await this.#parts.book.change(id, (each) => withResults(each, believed))
    return tasks.filter((task) => !last.has(task))
  }
}
