import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address } from '../../domain/ids.ts'
import type { JobSpec } from '../../domain/job-spec.ts'
import { stepIfAllowed } from '../../domain/job-state.ts'
import { place, type Placement, type Placing } from '../../domain/placement.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { allEnded } from '../all-ended.ts'
import type { Awarding } from './awarding.ts'
import type { Candidates } from './candidates.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { JobBook } from './job-book.ts'
import type { ReceivedBid } from './open-offer.ts'
import type { JobRecord, ShareRecord } from './records.ts'
import type { Spendable } from './spending-ledger.ts'

export interface DealingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly book: JobBook
  readonly awarding: Awarding
  readonly candidates: Candidates
  readonly channels: ChannelLedger
}

/** Shares that providers took, and why others did not or were not asked to. */
export interface Dealt {
  readonly shares: readonly ShareRecord[]
  readonly refusals: readonly Error[]
  readonly unplaced?: Placing['unplaced']
}

/** What tasks are placed within. */
export interface DealTerms {
  readonly spec: JobSpec
  readonly spendable: Spendable | undefined
  /** Unix ms. */
  readonly deadlineAt: number | undefined
}

/** Deals the tasks of one offer out over those who bid for it. */
export class Dealing {
  readonly #parts: DealingParts

  constructor(parts: DealingParts) {
    this.#parts = parts
  }

  /** Who would get which tasks. */
  async plan(
    offer: Signed<'Offer'>,
    tasks: readonly number[],
    bids: readonly ReceivedBid[],
    { spec, spendable, deadlineAt }: DealTerms,
  ): Promise<Placing> {
    const { candidates, clock } = this.#parts
    const all = await candidates.of(offer, spec, tasks, bids)
    const { placements, unplaced } = place(offer.message, tasks, all, clock.now(), {
      ...(spendable !== undefined && { budget: spendable.left }),
      ...(deadlineAt !== undefined && { deadlineAt }),
    })
    if (unplaced === undefined) return { placements }
    const isMoney = unplaced.code === 'JOB_BUDGET' && spendable !== undefined
    return { placements, unplaced: { ...unplaced, ...(isMoney && { code: spendable.code }) } }
  }

  /** Awards until all tasks are taken; who declines an award leaves its tasks to the other bidders. */
  async deal(
    job: JobRecord,
    offer: Signed<'Offer'>,
    tasks: readonly number[],
    attempt: number,
    bids: readonly ReceivedBid[],
    signal: AbortSignal,
  ): Promise<Dealt> {
    if (tasks.length === 0) return { shares: [], refusals: [] }
    const plan = await this.plan(offer, tasks, bids, await this.#terms(job))
    const { shares, refusals, refused } = await this.#award(
      job,
      offer,
      attempt,
      bids,
      plan.placements,
      signal,
    )
    if (shares.length > 0)
      await this.#parts.book.change(job.id, (each) => stepIfAllowed(each, 'award'))
    const { unplaced } = plan
    // Those who have signed are seen to by their share, which tells them to stop.
    if (signal.aborted || refused.size === 0)
      return { shares, refusals, ...(unplaced !== undefined && { unplaced }) }
    const taken = new Set(shares.flatMap((share) => share.tasks))
    const left = tasks.filter((task) => !taken.has(task))
    const others = bids.filter(({ bid }) => !refused.has(bid.provider))
    const rest = await this.deal(job, offer, left, attempt, others, signal)
    return {
      ...rest,
      shares: [...shares, ...rest.shares],
      refusals: [...refusals, ...rest.refusals],
    }
  }

  async #award(
    job: JobRecord,
    offer: Signed<'Offer'>,
    attempt: number,
    bids: readonly ReceivedBid[],
    placements: readonly Placement[],
    signal: AbortSignal,
  ): Promise<Dealt & { readonly refused: ReadonlySet<Address> }> {
    const { awarding, logger } = this.#parts
    const byProvider = new Map(bids.map((each) => [each.bid.provider, each]))
    const shares: ShareRecord[] = []
    const refusals: Error[] = []
    const refused = new Set<Address>()
    await allEnded(
      placements.map(async (placement) => {
        const { provider } = placement
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
        }
      }),
    )
    return { shares, refusals, refused }
  }

  /** As they stand now: a job may have been extended, and what it has agreed on changes. */
  async #terms({ id }: JobRecord): Promise<DealTerms> {
    const { book, channels } = this.#parts
    const { createdAt, request } = await book.get(id)
    const { totalMs } = request.timeouts ?? {}
    return {
      spec: request.spec,
      spendable: await channels.spent.spendable(id, request.budget),
      deadlineAt: totalMs === undefined ? undefined : createdAt + totalMs,
    }
  }
}
