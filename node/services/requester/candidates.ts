import { comparedCost, DEFAULT_CHANNEL_COST, type Candidate } from '../../domain/candidate.ts'
import { contentsOf, type JobSpec } from '../../domain/job-spec.ts'
import type { Amount } from '../../domain/money.ts'
import { heldBytes, paceOf } from '../../domain/seen-content.ts'
import { believedCapacity, faultsOf } from '../../domain/track-record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signed } from '../../protocol/envelope.ts'
import { keccak } from '../../protocol/typed-data.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { ReceivedBid } from './open-offer.ts'
import type { ProviderMemory } from './provider-memory.ts'
import type { Reputations } from './reputation.ts'

export interface CandidatesParts {
  readonly clock: Clock
  readonly channels: ChannelLedger
  readonly memory: ProviderMemory
  readonly reputations: Reputations
}

export interface CandidatesOptions {
  /** What opening a channel counts for where bids are compared, tokens. @default DEFAULT_CHANNEL_COST */
  readonly channelCost?: Amount
}

/** Puts to bids what this node and the chain know of the bidders. */
export class Candidates {
  readonly #parts: CandidatesParts
  readonly #channelCost: Amount

  constructor(parts: CandidatesParts, options: CandidatesOptions) {
    this.#parts = parts
    this.#channelCost = options.channelCost ?? DEFAULT_CHANNEL_COST
  }

  /** The bids for `tasks` tasks of an offer, as candidates. */
  async of(
    offer: Signed<'Offer'>,
    spec: JobSpec,
    tasks: readonly number[],
    bids: readonly ReceivedBid[],
  ): Promise<readonly Candidate[]> {
    const { clock, channels, memory, reputations } = this.#parts
    const now = clock.now()
    const sizes = new Map(contentsOf(spec, tasks).map(({ cid, size }) => [cid, size]))
    const known = await reputations.of(bids.map(({ bid }) => bid.provider))
    return Promise.all(
      bids.map(async ({ bid }) => {
        const [record, seen] = await Promise.all([
          memory.get(bid.provider),
          memory.seen(bid.provider),
        ])
        const affine = channels.has(bid.provider)
        const capacity = believedCapacity(record, bid.capacity)
        const taskMs = paceOf(seen, spec.image.cid)
        return {
          bid,
          cost: comparedCost(
            offer.message,
            { bid, affine, capacity },
            tasks.length,
            this.#channelCost,
          ),
          affine,
          faults: faultsOf(record, now),
          reputation: known(bid.provider),
          capacity,
          proven: record.delivered > 0,
          holds: heldBytes(seen, sizes, now),
          ...(taskMs !== undefined && { taskMs }),
          msPerTask: record.msPerTask ?? Infinity,
          lot: keccak(new TextEncoder().encode(`${offer.id} ${bid.provider}`)),
        }
      }),
    )
  }
}
