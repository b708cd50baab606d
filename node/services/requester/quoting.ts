import type { OfferAnswers } from '../../domain/decline.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address, PeerId } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { offerFault } from '../../domain/offer.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Clock } from '../../ports/clock.ts'
import { encodeJobSpec } from '../../protocol/job-spec-codec.ts'
import { answersOf } from './answers.ts'
import type { Bidding } from './bidding.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { Dealing } from './dealing.ts'
import type { OfferMaker } from './offer-maker.ts'
import type { JobRequest } from './records.ts'

/** One provider's part of what a job would come to. */
export interface QuotedShare {
  readonly provider: Address
  readonly peer: PeerId
  readonly tasks: number
  readonly pricePerTask: Amount
  /** When it expects to start, ms from now. */
  readonly etaMs: number
  /** When it is done if every task takes all its time, ms from now. */
  readonly byMs: number
  /** Whether a channel with it would have to be opened first. */
  readonly opensChannel: boolean
}

/** What a job would come to now, by what providers bid for it. */
export interface Quote {
  readonly tasks: number
  /** Prices of one task, of every bid, the lowest first. */
  readonly prices: readonly Amount[]
  readonly shares: readonly QuotedShare[]
  readonly placed: number
  readonly total: Amount
  readonly answers: OfferAnswers
}

export interface QuotingParts {
  readonly clock: Clock
  readonly blobs: Blobs
  readonly offers: OfferMaker
  readonly bidding: Bidding
  readonly dealing: Dealing
  readonly channels: ChannelLedger
}

/**
 * Asks what a job would cost and commits to nothing: an offer like any other, none of whose bids is taken. Bids hold nothing
 * at their providers, and offers are counted there by requester, so asking often costs nobody but the asker.
 */
export class Quoting {
  readonly #parts: QuotingParts

  constructor(parts: QuotingParts) {
    this.#parts = parts
  }

  /** Throws `OFFER_INVALID` for what no node would pass on, or the signal's reason. */
  async quote(request: JobRequest, signal: AbortSignal): Promise<Quote> {
    const { clock, blobs, offers, bidding, dealing } = this.#parts
    const { spec, bidsWanted, providers } = request
    const specCid = await blobs.addBlock(encodeJobSpec(spec))
    const offer = offers.make(request, specCid, spec.tasks)
    const fault = offerFault(offer.message, clock.now(), offer.message.network)
    if (fault !== undefined) throw new HiveError(fault.code, { rule: fault.rule })
    const outcome = await bidding.collect(offer, bidsWanted, signal, providers)
    const tasks = Array.from({ length: spec.tasks }, (_, at) => at)
    const { totalMs } = request.timeouts ?? {}
    const { placements, unplaced } = await dealing.plan(offer, tasks, outcome.bids, {
      spec,
      spendable: await this.#parts.channels.spent.spendable(undefined, request.budget),
      deadlineAt: totalMs === undefined ? undefined : clock.now() + totalMs,
    })
    const shares = placements.flatMap(({ provider, tasks: { length }, pricePerTask, ahead }) => {
      const found = outcome.bids.find(({ bid }) => bid.provider === provider)
      if (found === undefined) return []
      const { peer, bid } = found
      const rounds = Math.ceil((ahead + length) / bid.capacity)
      const byMs = bid.etaMs + rounds * spec.timeoutMs
      const opensChannel = !this.#parts.channels.has(provider)
      return [{ provider, peer, tasks: length, pricePerTask, etaMs: bid.etaMs, byMs, opensChannel }]
    })
    const placed = shares.reduce((sum, share) => sum + share.tasks, 0)
    return {
      tasks: spec.tasks,
      prices: outcome.bids.map(({ bid }) => bid.price).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      shares,
      placed,
      total: shares.reduce((sum, share) => sum + share.pricePerTask * BigInt(share.tasks), 0n),
      answers: answersOf(outcome, [], {
        at: clock.now(),
        tasks: spec.tasks,
        placed,
        ...(unplaced !== undefined && { unplaced }),
      }),
    }
  }
}
