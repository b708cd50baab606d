import { isOpenCase, isProvidersCase, type Case } from '../../domain/case.ts'
import { ZERO_ADDRESS } from '../../domain/ids.ts'
import type { Amount } from '../../domain/money.ts'
import { hour } from '../../domain/units.ts'
import type { Escrow, EscrowChannel } from '../../ports/escrow.ts'
import type { SignedAgreement } from '../../ports/escrow-cases.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Earnings } from '../provider/earnings.ts'
import type { Claim, WorkBook } from '../provider/work-book.ts'
import type { Signing } from '../signing.ts'
import type { DriftCounts } from '../drift.ts'
import { ADOPTED_IDLE_MS, close, isDue, noticeWhenIdle } from './closing.ts'
import { agreementOf, placeIn, receiptOf, voucherOf } from './evidence.ts'

export interface ProviderWatchParts {
  readonly logger: Logger
  readonly escrow: Escrow
  readonly signing: Signing
  readonly earnings: Earnings
  readonly works: WorkBook
  readonly counts: DriftCounts
}

export interface ProviderWatchOptions {
  /** Unpaid shares below this are not brought before the contract. */
  readonly minimumAmount: Amount
  /** How long a delivered share may stay unpaid before it is brought, ms. */
  readonly graceMs: number
}

/** What a provider's watch does unless told otherwise. */
export const PROVIDER_WATCH_DEFAULTS: ProviderWatchOptions = {
  /** One token: a case takes some 170,000 gas, opened and ended. */
  minimumAmount: 10n ** 18n,
  /** Long enough for a requester to restart and deliver its voucher. */
  graceMs: 1 * hour,
}

/**
 * Sees to a provider's cases: brings what stays unpaid, answers what it is accused of, ends what it won. Closes channels
 * whose notice has run out, and gives notice on those that were opened with it and never used.
 */
export class ProviderWatch {
  readonly #parts: ProviderWatchParts
  readonly #options: ProviderWatchOptions

  constructor(parts: ProviderWatchParts, options: Partial<ProviderWatchOptions> = {}) {
    this.#parts = parts
    this.#options = { ...PROVIDER_WATCH_DEFAULTS, ...options }
  }

  /** What there is to do now on a channel; `now` in unix seconds. Throws what the escrow throws. */
  async look(channel: EscrowChannel, now: number, signal: AbortSignal): Promise<void> {
    const { escrow, works, logger, signing } = this.#parts
    if (channel.requesterCases + channel.providerCases > 0) {
      for (const id of await escrow.cases.on(channel.id, { signal })) {
        const [found, work] = [await escrow.cases.of(id, { signal }), await works.claim(id)]
        const signed = work === undefined ? undefined : agreementOf(signing, work.agreement)
        if (found === undefined || work === undefined || signed === undefined) continue
        if (!isOpenCase(found)) continue
        const act = async () => this.#act(found, work, signed, now, signal)
        await this.#parts.counts.during('case', act, signal)
      }
    }
    if (channel.providerCases === 0) await this.#bring(channel, now, signal)
    const { adoptedAt: foundAt } = this.#parts.earnings.get(channel.id) ?? {}
    await noticeWhenIdle(this.#parts, channel, { foundAt, idleMs: ADOPTED_IDLE_MS }, now, signal)
    if (isDue(channel, now)) {
      // Whoever closes first: what is not claimed by then is lost.
      await this.#parts.earnings.claim(channel.id, signal)
      await close(this.#parts, channel, signal)
    }
    const isFree = channel.status === 'closed' && channel.bondFreeAt < now && channel.bond > 0n
    if (!isFree) return
    await escrow.releaseBond(channel.id, { signal })
    logger.info('bond released', { channel: channel.id, bond: channel.bond })
  }

  /** True when something was done. */
  async #act(
    found: Case,
    work: Claim,
    { agreement }: SignedAgreement,
    now: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { escrow, signing, logger } = this.#parts
    const { cases } = escrow
    const isLate = now > found.deadline
    const note = { agreement: found.id, kind: found.kind, state: found.state }
    if (found.state === 'contested') {
      if (!isLate) return false
      await cases.resolve(agreement, { signal })
    } else if (found.state === 'paid-shown') {
      return !isLate && (await this.#disprove(found, agreement, signal))
    } else if (isProvidersCase(found)) {
      if (!isLate) return false
      await cases.timeout(agreement, { signal })
    } else {
      if (isLate || work.receipt === undefined) return false
      const receipt = receiptOf(signing, work.receipt)
      if (found.kind === 'no-show')
        await cases.showReceipt(agreement, receipt, undefined, { signal })
      else if (agreement.verifier !== ZERO_ADDRESS)
        await cases.contest(agreement, receipt, { signal })
      else {
        logger.warn('case left to its deadline: no verifier could rule', note)
        return false
      }
    }
    return true
  }

  /** Contradicts a payment that was shown, where this node's own voucher does; false where it does not. */
  async #disprove(
    { id }: Case,
    agreement: SignedAgreement['agreement'],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { escrow, earnings, signing, logger } = this.#parts
    const record = earnings.get(agreement.channel)
    const shown = await escrow.cases.shownPayment(id, { signal })
    if (record?.voucher === undefined || shown === undefined) return false
    const { job } = shown
    const own = placeIn(record.paid, job.index)
    const isTrue = own?.job.agreement === job.agreement && own.job.amount === job.amount
    if (isTrue) return false
    const { job: otherJob, proof } = own ?? { job, proof: [] }
    const voucher = voucherOf(signing, record.voucher)
    await escrow.cases.disprovePaid(agreement, shown, voucher, otherJob, proof, { signal })
    logger.info('false payment contradicted', { agreement: id })
    return true
  }

  /** Brings the oldest unpaid share: paying a younger one would make it look paid. */
  async #bring(channel: EscrowChannel, now: number, signal: AbortSignal): Promise<void> {
    const { escrow, works, signing, logger } = this.#parts
    if (channel.status === 'closed') return
    const unpaid = (await works.claims(channel.id))
      .filter(({ receipt, amount = 0n }) => receipt !== undefined && amount > 0n)
      .sort((a, b) => a.seq - b.seq)
    for (const work of unpaid) {
      const signed = agreementOf(signing, work.agreement)
      if (signed === undefined || work.receipt === undefined) continue
      const { owedAfter, disputeUntil } = signed.agreement
      if (now > disputeUntil || channel.settled >= owedAfter) continue
      if ((work.amount ?? 0n) < this.#options.minimumAmount) continue
      const dueMs = work.finishedAt + this.#options.graceMs
      if (now * 1000 < dueMs) return
      if ((await escrow.cases.of(work.id, { signal })) !== undefined) continue
      const receipt = receiptOf(signing, work.receipt)
      await escrow.cases.open('non-payment', signed, receipt, { signal })
      logger.warn('unpaid share brought before the contract', { agreement: work.id })
      return
    }
  }
}
