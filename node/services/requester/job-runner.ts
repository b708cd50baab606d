import type { ErrorCode } from '../../domain/error-codes.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { PRIORITIES } from '../../domain/job-handling.ts'
import { isFinal, step, stepIfAllowed } from '../../domain/job-state.ts'
import { minute, second } from '../../domain/units.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { allEnded } from '../all-ended.ts'
import { withinTime } from '../time-limit.ts'
import { answersOf, isTelling, unplacedError, withAnswers } from './answers.ts'
import { openTasks } from './awarding.ts'
import type { Bidding } from './bidding.ts'
import type { Dealing } from './dealing.ts'
import type { JobBook } from './job-book.ts'
import { lettingIn, type LettingInParts } from './letting-in.ts'
import { eitherEnd, type JobEnds } from './job-ends.ts'
import type { OfferMaker } from './offer-maker.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import type { ShareRunner } from './share-runner.ts'
import {
  dueSince,
  dueTasks,
  historyOf,
  withResults,
  type DueTasks,
  type History,
} from './task-again.ts'
import type { Turn, WaitingLine } from './waiting-line.ts'

/** How long a chain that does not answer at an award, to either side, is a pause and not a failure, ms. */
const CHAIN_GRACE_MS: number = 5 * minute
/** Pause before an award is tried again that failed so, ms. */
const CHAIN_RETRY_MS: number = 2 * second
/** Times that tasks are offered anew at once because others were quicker to award: their bidders' queues, and quotes, are longer by now. */
const MAX_OVERTAKEN = 3

/** What kept this node itself from awarding, the first the most telling. */
const OWN_REFUSALS: readonly ErrorCode[] = [
  'INSUFFICIENT_DEPOSIT',
  'CHAIN_UNREACHABLE',
  'SPENDING_LIMIT',
  'JOB_BUDGET',
]

export interface JobRunnerParts extends LettingInParts {
  readonly offers: OfferMaker
  readonly book: JobBook
  readonly bidding: Bidding
  readonly dealing: Dealing
  readonly shares: ShareRunner
  readonly line: WaitingLine
}

/** What became of one offer. */
interface Round {
  readonly shares: readonly ShareRecord[]
  readonly unplaced: readonly number[]
  readonly why: HiveError
  /** A bidder had filled its queue with the awards of others by the time of this one. */
  readonly isOvertaken: boolean
}

/** Sees one job through: offers, awards, results, payment, and again elsewhere for what failed. */
export class JobRunner {
  readonly #parts: JobRunnerParts

  constructor(parts: JobRunnerParts) {
    this.#parts = parts
  }

  /**
   * Resolves when every task has a result. Throws `NO_BIDS`, `NO_PROVIDER_LEFT`, `INSUFFICIENT_DEPOSIT`,
   * `SPENDING_LIMIT`, `JOB_BUDGET`, `JOB_DEADLINE` or the reason of one of the ends. Can be called again for a job that was
   * interrupted: shares that are still out are taken up first.
   */
  async run(job: JobRecord, firstOffer: Signed<'Offer'> | undefined, ends: JobEnds): Promise<void> {
    const shares = (await this.#parts.book.sharesOf(job)).filter((share) => !isFinal(share.state))
    const taken = new Set(shares.flatMap((share) => share.tasks))
    const free = openTasks(job).filter((task) => !taken.has(task))
    await allEnded([
      ...shares.map(async (share) => this.#share(job, share, ends, true)),
      ...dueTasks(job, free).map(async (due) =>
        this.#place(job.id, due, ends, due.runs === 0 ? firstOffer : undefined),
      ),
    ])
  }

  /** Gets tasks done that are due, and again what fails, up to the attempts. */
  async #place(
    id: Bytes32,
    { tasks, runs, notBefore }: DueTasks,
    ends: JobEnds,
    firstOffer?: Signed<'Offer'>,
  ): Promise<void> {
    const { book, clock } = this.#parts
    const signal = eitherEnd(ends)
    if (notBefore > clock.now()) await clock.sleep(notBefore - clock.now(), signal)
    const shares: Promise<void>[] = []
    let left = tasks
    let offer = firstOffer
    let why: HiveError | undefined
    let [isOvertaken, overtaken] = [false, 0]
    const chainUntil = clock.now() + CHAIN_GRACE_MS
    try {
      for (let job = await book.get(id); left.length > 0; job = await book.get(id)) {
        signal.throwIfAborted()
        if (job.stopping === true) throw new HiveError('JOB_CANCELLED', { id })
        if (runs >= job.request.attempts) break
        const isAway = why?.code === 'CHAIN_UNREACHABLE'
        if (isAway) await clock.sleep(CHAIN_RETRY_MS, signal)
        const isAgain = why !== undefined && !isAway && !isOvertaken
        using turn = await this.#turn(job, left, isAgain, signal)
        // Its time may have been extended while it waited.
        if (turn === undefined && waitLeft(await book.get(id), left, clock.now()) > 0) continue
        if (turn === undefined) break
        const round = await this.#round(await book.get(id), left, runs, signal, offer)
        shares.push(...round.shares.map(async (share) => this.#share(job, share, ends)))
        // Waited for below; what one of them throws must not be lost on the way.
        for (const share of shares) share.catch(() => undefined)
        left = round.unplaced
        offer = undefined
        why = round.why
        isOvertaken = round.isOvertaken && overtaken++ < MAX_OVERTAKEN
        if (isOvertaken) continue
        if (why.code === 'CHAIN_UNREACHABLE' && clock.now() < chainUntil) continue
        if (left.length > 0 && waitLeft(job, left, clock.now()) <= 0) break
      }
    } finally {
      await Promise.allSettled(shares)
    }
    await Promise.all(shares)
    if (left.length > 0) await this.#giveUp(await book.get(id), left, why)
  }

  /** `undefined` when it does not come in the time that the tasks may wait. */
  async #turn(
    job: JobRecord,
    tasks: readonly number[],
    isAgain: boolean,
    signal: AbortSignal,
  ): Promise<Turn | undefined> {
    const { line, clock } = this.#parts
    const waiting = { priority: job.request.priority ?? PRIORITIES.normal, since: job.createdAt }
    if (!isAgain) return line.first(waiting, signal)
    const limit = { ms: waitLeft(job, tasks, clock.now()), code: 'QUEUE_TIMEOUT', signal } as const
    try {
      return await withinTime(clock, limit, async (limited) => line.again(waiting, limited))
    } catch (error) {
      if (signal.aborted || codeOf(error) !== 'QUEUE_TIMEOUT') throw error
      return undefined // why nobody took the tasks is known from before
    }
  }

  /** One offer: what of its tasks was placed, and why the others were not. */
  async #round(
    job: JobRecord,
    tasks: readonly number[],
    runs: number,
    signal: AbortSignal,
    firstOffer: Signed<'Offer'> | undefined,
  ): Promise<Round> {
    const { book, bidding, dealing, clock, offers } = this.#parts
    const { id, request } = job
    const { tried } = historyOf(job, runs === 0 ? [] : await book.sharesOf(job), tasks)
    // One that had to wait for its turn may be too old to be bid for.
    const isOpen = firstOffer !== undefined && firstOffer.message.bidsUntil > clock.now()
    const offer = isOpen ? firstOffer : offers.make(request, job.specCid, tasks.length)
    await book.change(id, (each) => ({
      ...(each.state === 'draft' ? step(each, 'publish') : stepIfAllowed(each, 'retry')),
      offers: each.offers.includes(offer.id) ? each.offers : [...each.offers, offer.id],
    }))
    const outcome = await bidding.collect(offer, request.bidsWanted, signal, request.providers)
    const fresh = outcome.bids.filter(({ bid }) => !tried.has(bid.provider))
    const able =
      request.attach === true
        ? await lettingIn(this.#parts, fresh, signal)
        : { open: fresh, refusals: [] }
    const dealt = await dealing.deal(job, offer, tasks, runs + 1, able.open, signal)
    const { shares, unplaced } = dealt
    const refusals = [...able.refusals, ...dealt.refusals]
    const placed = new Set(shares.flatMap((share) => share.tasks))
    const counts = { at: clock.now(), tasks: tasks.length, placed: placed.size }
    const answers = answersOf(outcome, refusals, { ...counts, ...(unplaced && { unplaced }) })
    if (isTelling(answers)) await book.change(id, (each) => withAnswers(each, answers))
    const telling = OWN_REFUSALS.map((code) => refusals.find((error) => codeOf(error) === code))
    const decisive = telling.find((error) => error instanceof HiveError)
    return {
      shares,
      unplaced: tasks.filter((task) => !placed.has(task)),
      why: decisive ?? unplacedError(answers, fresh.length),
      isOvertaken: refusals.some((error) => codeOf(error) === 'DECLINED_BUSY'),
    }
  }

  /** Sees a share through, and places what it left undone once that is due. */
  async #share(
    job: JobRecord,
    share: ShareRecord,
    ends: JobEnds,
    isTakenUp = false,
  ): Promise<void> {
    const { shares, book, line } = this.#parts
    const { again, givenUp, cause } = await shares.run(job, share, isTakenUp, ends)
    line.wake()
    const current = await book.get(job.id)
    await allEnded([
      ...dueTasks(current, again).map(async (due) => this.#place(job.id, due, ends)),
      ...(givenUp.length > 0 ? [this.#giveUp(current, givenUp, cause)] : []),
    ])
  }

  /** Throws why nobody runs these tasks, unless how they last ended can be their result. */
  async #giveUp(job: JobRecord, tasks: readonly number[], why?: HiveError): Promise<void> {
    const { last } = historyOf(job, [], tasks)
    const lost = await this.#believe(job.id, tasks, last)
    if (lost.length === 0) return
    const { attempts, timeouts: { queueMs } = {} } = job.request
    if (why === undefined) throw new HiveError('NO_PROVIDER_LEFT', { tasks: lost.length, attempts })
    if (queueMs === undefined || why.code === 'QUEUE_TIMEOUT') throw why
    const data = { ...why.data, queueMs, reason: why.code }
    throw new HiveError('QUEUE_TIMEOUT', data, { cause: why })
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

/** How long tasks that found no place may go on waiting for one, ms. */
function waitLeft(job: JobRecord, tasks: readonly number[], now: number): number {
  const { queueMs } = job.request.timeouts ?? {}
  return queueMs === undefined ? 0 : dueSince(job, tasks) + queueMs - now
}
