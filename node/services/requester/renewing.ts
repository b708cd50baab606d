import type { Agreement } from '../../domain/agreement.ts'
import type { ErrorCode } from '../../domain/error-codes.ts'
import { codeOf, HiveError } from '../../domain/errors.ts'
import type { Bytes32 } from '../../domain/ids.ts'
import { isFinal } from '../../domain/job-state.ts'
import { INTERVALS_AGREED } from '../../domain/metering.ts'
import { minute, second } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Requests } from '../../ports/requests.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { awardRequest } from '../../protocol/requests.ts'
import type { Signing } from '../signing.ts'
import type { Awarding } from './awarding.ts'
import type { ChannelLedger } from './channel-ledger.ts'
import type { ChannelSlot } from './channel-record.ts'
import type { JobBook } from './job-book.ts'
import type { AgreedInterval, ShareRecord } from './records.ts'

export interface RenewingParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly requests: Requests
  readonly signing: Signing
  readonly channels: ChannelLedger
  readonly book: JobBook
  readonly awarding: Awarding
}

/** How long a provider has to begin an interval, ms: it runs already. */
const START_WITHIN_MS: number = 5 * minute
/** Pause after a renewal that did not arrive, ms. */
const RETRY_MS: number = 1 * second

/** Agrees on the intervals of shares that are paid by the second: always on the one that runs and the next. */
export class Renewing {
  readonly #parts: RenewingParts

  constructor(parts: RenewingParts) {
    this.#parts = parts
  }

  /**
   * Resolves when enough intervals are agreed, or none can be any more, or not until the job's budget is raised: the
   * provider ends by itself what is not renewed. What is agreed is on record before it is sent, and sent again until the provider has countersigned.
   */
  async keepAgreed(id: Bytes32, signal: AbortSignal): Promise<void> {
    const { awarding, book, clock, logger } = this.#parts
    const provider = (await book.share(id))?.provider
    if (provider === undefined) return
    while (!signal.aborted) {
      try {
        if (await awarding.inTurn(provider, async () => this.#step(id, signal))) return
      } catch (error) {
        if (signal.aborted) return
        const code = codeOf(error)
        logger.warn('share not renewed', { agreement: id, code })
        if (code === 'AGREEMENT_UNKNOWN' || code === 'AGREEMENT_INVALID') return
        if (code === 'JOB_BUDGET' || code === 'SPENDING_LIMIT') await this.#note(id, code)
        if (code === 'JOB_BUDGET') return
        await clock.sleep(RETRY_MS, signal).catch(() => undefined) // the share ends
      }
    }
  }

  /** One agreement made or sent. True when there is nothing left to do. */
  async #step(id: Bytes32, signal: AbortSignal): Promise<boolean> {
    const { book, channels } = this.#parts
    const share = await book.share(id)
    if (share?.meter === undefined || isFinal(share.state)) return true
    const { agreed, closedMs } = share.meter
    if (closedMs !== undefined) return true
    const unsigned = agreed.find(({ isSigned }) => !isSigned)
    if (unsigned !== undefined) {
      await this.#send(share, unsigned, signal)
      return false
    }
    if (agreed.length >= INTERVALS_AGREED) return true
    let drafted: AgreedInterval | undefined
    const { termMs, request } = await book.get(share.job)
    const moreMs = termMs === undefined ? 0 : termMs - request.spec.timeoutMs
    const build = (slot: ChannelSlot) => (drafted = this.#draft(share, slot, moreMs)).id
    const { budget } = request
    const spend = { price: share.price, job: share.job, ...(budget !== undefined && { budget }) }
    await channels.reserveOn(share.channel, spend, build, signal)
    if (drafted === undefined) throw new HiveError('CHANNEL_UNKNOWN', { channel: share.channel })
    await this.#note(id, undefined)
    await this.#put(id, (now) => [...now, ...(drafted === undefined ? [] : [drafted])])
    return false
  }

  async #send(share: ShareRecord, interval: AgreedInterval, signal: AbortSignal): Promise<void> {
    const { requests, signing } = this.#parts
    const request = awardRequest.encode({
      agreement: fromHex(interval.agreement),
      award: fromHex(interval.award),
      renews: share.id,
    })
    const answer = await requests.call(share.peer, 'award', request, { signal })
    const signed = signing.openFrom('Agreement', answer, [signing.address, share.provider])
    if (signed.id !== interval.id)
      throw new HiveError('PEER_PROTOCOL', { expected: interval.id, found: signed.id })
    const agreement = toHex(signed.bytes)
    const { finishBy } = signed.message
    await this.#put(
      share.id,
      (now) =>
        now.map((each) =>
          each.id === interval.id ? { ...each, agreement, isSigned: true } : each,
        ),
      finishBy,
    )
  }

  /** Has a share say why it is not renewed: the limit may be raised until it ends. */
  async #note(id: Bytes32, error: ErrorCode | undefined): Promise<void> {
    const { book } = this.#parts
    if ((await book.share(id))?.error === error) return
    await book.changeShare(id, (share) => {
      const { error: _, ...rest } = share
      return error === undefined ? rest : { ...rest, error }
    })
  }

  async #put(
    id: Bytes32,
    edit: (agreed: readonly AgreedInterval[]) => readonly AgreedInterval[],
    finishBy = 0,
  ): Promise<void> {
    await this.#parts.book.changeShare(id, (share) =>
      share.meter === undefined
        ? share
        : {
            ...share,
            finishBy: Math.max(share.finishBy, finishBy),
            meter: { ...share.meter, agreed: edit(share.meter.agreed) },
          },
    )
  }

  /** `moreMs`: what was added to the service's time since its share was awarded. */
  #draft(share: ShareRecord, slot: ChannelSlot, moreMs: number): AgreedInterval {
    const { clock, signing } = this.#parts
    const now = clock.now()
    const { message: first } = signing.open('Agreement', fromHex(share.agreement))
    const more = Math.ceil(moreMs / second)
    const finishBy = first.finishBy + more
    const message: Agreement = {
      ...first,
      ...slot,
      startBy: Math.min(Math.floor((now + START_WITHIN_MS) / second), finishBy),
      finishBy,
      disputeUntil: first.disputeUntil + more,
    }
    const agreement = signing.seal('Agreement', message)
    const award = signing.seal('Award', {
      agreement: agreement.id,
      tasks: share.tasks,
      issuedAt: now,
    })
    return {
      id: agreement.id,
      seq: slot.seq,
      agreement: toHex(agreement.bytes),
      award: toHex(award.bytes),
      isSigned: false,
    }
  }
}
