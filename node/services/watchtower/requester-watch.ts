import { isOpenCase, isProvidersCase, type Case } from '../../domain/case.ts'
import { codeOf } from '../../domain/errors.ts'
import { ZERO_ADDRESS, type Hex } from '../../domain/ids.ts'
import type { Escrow, EscrowChannel } from '../../ports/escrow.ts'
import type { SignedAgreement } from '../../ports/escrow-cases.ts'
import type { Logger } from '../../ports/logger.ts'
import { toHex } from '../../protocol/bytes.ts'
import { jobsRoot } from '../../protocol/jobs-root.ts'
import type { DriftCounts } from '../drift.ts'
import type { ChannelLedger } from '../requester/channel-ledger.ts'
import type { ForgottenChannels } from '../requester/forgotten-channels.ts'
import type { JobBook } from '../requester/job-book.ts'
import type { Signing } from '../signing.ts'
import { close, FORGOTTEN_IDLE_MS, isDue, noticeWhenIdle } from './closing.ts'
import { agreementOf, placeIn, receiptOf, voucherOf } from './evidence.ts'

export interface RequesterWatchParts {
  readonly logger: Logger
  readonly escrow: Escrow
  readonly signing: Signing
  readonly channels: ChannelLedger
  readonly book: JobBook
  readonly forgotten: ForgottenChannels
  readonly counts: DriftCounts
}

/**
 * Sees to a requester's cases: shows that it paid, denies what it refused, ends what it won. Closes channels whose
 * notice has run out, and gives notice on those of which it has no record.
 */
export class RequesterWatch {
  readonly #parts: RequesterWatchParts

  constructor(parts: RequesterWatchParts) {
    this.#parts = parts
  }

  /** What there is to do now on a channel; `now` in unix seconds. Throws what the escrow throws. */
  async look(channel: EscrowChannel, now: number, signal: AbortSignal): Promise<void> {
    if (channel.requesterCases + channel.providerCases > 0) await this.#answer(channel, now, signal)
    const foundAt = this.#parts.forgotten.foundAt(channel.id)
    await noticeWhenIdle(this.#parts, channel, { foundAt, idleMs: FORGOTTEN_IDLE_MS }, now, signal)
    if (!isDue(channel, now)) return
    // Its provider was away for the whole notice, and is to have what it was promised all the same.
    await this.#claimNewest(channel, signal)
    await close(this.#parts, channel, signal)
    await this.#parts.channels.reconcile(channel.id, signal)
  }

  async #answer(channel: EscrowChannel, now: number, signal: AbortSignal): Promise<void> {
    const { escrow, book, signing, counts } = this.#parts
    for (const id of await escrow.cases.on(channel.id, { signal })) {
      const [found, bytes] = [await escrow.cases.of(id, { signal }), await book.agreementOf(id)]
      const signed = bytes === undefined ? undefined : agreementOf(signing, bytes)
      if (found === undefined || signed === undefined || !isOpenCase(found)) continue
      const receipt = (await book.share(id))?.receipt
      const act = async () => this.#act(found, receipt, signed, channel, now, signal)
      await counts.during('case', act, signal)
    }
  }

  /** True when something was done. */
  async #act(
    found: Case,
    receipt: Hex | undefined,
    { agreement }: SignedAgreement,
    channel: EscrowChannel,
    now: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { escrow, signing, logger } = this.#parts
    const { cases } = escrow
    const isLate = now > found.deadline
    if (found.state === 'contested') {
      if (!isLate) return false
      await cases.resolve(agreement, { signal })
    } else if (found.state === 'paid-shown' || !isProvidersCase(found)) {
      if (!isLate) return false
      await cases.timeout(agreement, { signal })
    } else {
      if (isLate) return false
      if (await this.#provePaid(found, agreement, channel, signal)) return true
      if (receipt === undefined || agreement.verifier === ZERO_ADDRESS) {
        logger.warn('case left to its deadline: no verifier could rule', { agreement: found.id })
        return false
      }
      await cases.contest(agreement, receiptOf(signing, receipt), { signal })
    }
    return true
  }

  /**
   * Claims the newest voucher where that is still to do, and shows the share as the last of a voucher over
   * what was paid up to it; false when it was not paid, or when the contract takes no such proof.
   */
  async #provePaid(
    { id }: Case,
    agreement: SignedAgreement['agreement'],
    channel: EscrowChannel,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { escrow, channels, signing, logger } = this.#parts
    const all = channels.vouchers.paidSince(channel.id, 0)
    const index = all.findIndex((each) => each.agreement === id)
    const paid = all.slice(0, index + 1)
    const place = placeIn(paid, index)
    if (place === undefined) return false
    await this.#claimNewest(channel, signal)
    const message = {
      channel: channel.id,
      cumulative: paid.reduce((sum, { amount }) => sum + amount, 0n),
      jobs: paid.length,
      jobsRoot: jobsRoot(paid),
    }
    const voucher = voucherOf(signing, toHex(signing.seal('Voucher', message).bytes))
    try {
      await escrow.cases.provePaid(agreement, voucher, place.job, place.proof, { signal })
    } catch (error) {
      // a case has paid out of the channel since, and vouchers prove nothing there any more
      if (codeOf(error) !== 'CHAIN_REVERTED') throw error
      logger.warn('payment could not be shown', { agreement: id, message: String(error) })
      return false
    }
    logger.info('payment shown', { agreement: id })
    return true
  }

  /** Has a provider paid what the newest voucher promises it. */
  async #claimNewest(channel: EscrowChannel, signal: AbortSignal): Promise<void> {
    const { escrow, channels, signing } = this.#parts
    const bytes = channels.vouchers.newest(channel.id)
    if (bytes === undefined || channel.status === 'closed') return
    const { voucher, signature } = voucherOf(signing, bytes)
    if (channel.settled >= voucher.cumulative) return
    await escrow.claim(voucher, signature, { signal })
  }
}
