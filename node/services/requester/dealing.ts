import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Address, Bytes32 } from '../../domain/ids.ts'
import { stepIfAllowed } from '../../domain/job-state.ts'
import { place, type Candidate, type Placement } from '../../domain/placement.ts'
import { believedCapacity, faultsOf } from '../../domain/track-record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { keccak } from '../../protocol/typed-data.ts'
import { allEnded } from '../all-ended.ts'
import type { Awarding } from './awarding.ts'
import type { ReceivedBid } from './open-offer.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { JobBook } from './job-book.ts'
import type { ProviderMemory } from './provider-memory.ts'
import type { JobRecord, ShareRecord } from './records.ts'

export interface DealingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly book: JobBook
  readonly awarding: Awarding
  readonly channels: ChannelLedger
  readonly memory: ProviderMemory
}

/** Shares that providers took, and why others did not. */
export interface Dealt {
  readonly shares: readonly ShareRecord[]
  readonly refusals: readonly Error[]
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
  ): Promise<readonly Placement[]> {
    const candidates = await Promise.all(bids.map(async (each) => this.#candidate(offer.id, each)))
    return place(offer.message, tasks, candidates, this.#parts.clock.now())
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
    const { awarding, logger } = this.#parts
    const byProvider = new Map(bids.map((each) => [each.bid.provider, each]))
    const placements = await this.plan(offer, tasks, bids)
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
    const rest = await this.deal(
      job,
      offer,
      left.sort((a, b) => a - b),
      attempt,
      others,
      signal,
    )
    return { shares: [...shares, ...rest.shares], refusals: [...refusals, ...rest.refusals] }
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
