import {
  creditWindow,
  hasCredit,
  type CreditTerms,
  type Standing,
} from '../../domain/credit-window.ts'
import type { Decline } from '../../domain/decline.ts'
import { HiveError } from '../../domain/errors.ts'
import type { Address } from '../../domain/ids.ts'
import { agreedPrice, INTERVALS_AGREED, isMetered, type PaidEvery } from '../../domain/metering.ts'
import { TOKEN_DECIMALS, type Amount } from '../../domain/money.ts'
import type { Offer } from '../../domain/offer.ts'
import { second } from '../../domain/units.ts'
import { ChainRecords, type ChainRecordsParts } from '../chain-records.ts'
import type { Earnings } from './earnings.ts'
import type { WorkBook } from './work-book.ts'

/** One token. */
const TOKEN: Amount = 10n ** BigInt(TOKEN_DECIMALS)

/** What requesters are trusted with unless the operator says otherwise. */
export const CREDIT_DEFAULTS: CreditTerms = { start: 10n * TOKEN, most: 1000n * TOKEN }

/** A share of this price is worth a case: the deposit answers for it. Source: docs/operations/provider.md. */
const WORTH_A_CASE: Amount = TOKEN

export interface CreditParts extends ChainRecordsParts {
  readonly works: WorkBook
  readonly earnings: Earnings
}

/** How much unpaid work this node risks with whom. */
export class Credit {
  readonly #parts: CreditParts
  readonly #terms: CreditTerms
  readonly #records: ChainRecords

  constructor(parts: CreditParts, terms: CreditTerms = CREDIT_DEFAULTS) {
    this.#parts = parts
    this.#terms = terms
    this.#records = new ChainRecords(parts)
  }

  /** What a requester may leave unpaid at a time, by what this node and, as far as it was read, the contract know of it. */
  window(requester: Address): Amount {
    const { works, earnings } = this.#parts
    const standing = this.#standing(requester)
    return creditWindow(this.#terms, {
      paid: earnings.paidBy(requester),
      writtenOff: works.writtenOff(requester),
      lost: works.lostTo(requester, WORTH_A_CASE),
      ...(standing && { standing }),
    })
  }

  /** What a requester has not paid, of what the deposit does not answer for. */
  unpaid(requester: Address): Amount {
    return this.#parts.works.unpaidBy(requester, WORTH_A_CASE)
  }

  /** Whether a requester may have `more` work unpaid. */
  has(requester: Address, more: Amount): boolean {
    return hasCredit(this.window(requester), this.unpaid(requester), more)
  }

  /** Why an offer gets no bid though it fits, or `undefined`. `price` is of one task, or of one second. */
  declined(offer: Offer, price: Amount): Decline | undefined {
    const risked = atRisk(offer, agreedPrice(offer, price, 1))
    return this.has(offer.requester, risked) ? undefined : { code: 'DECLINED_EXPOSURE' }
  }

  /**
   * Throws `DECLINED_EXPOSURE` unless an agreement of `price` about the offer may be signed; asks the contract about its
   * requester first, which an offer alone is no reason to.
   */
  async confirm(offer: Offer, price: Amount, signal: AbortSignal): Promise<void> {
    const { requester } = offer
    await this.#records.of(requester, signal)
    if (this.has(requester, atRisk(offer, price))) return
    const [unpaid, window] = [this.unpaid(requester), this.window(requester)]
    const writtenOff = this.#parts.works.writtenOff(requester)
    throw new HiveError('DECLINED_EXPOSURE', { writtenOff, unpaid, window })
  }

  #standing(requester: Address): Standing | undefined {
    const record = this.#records.known(requester)
    if (record === undefined) return undefined
    const { faults, feesPaid, firstSeen } = record
    const knownMs = firstSeen === 0 ? 0 : Math.max(0, this.#parts.clock.now() - firstSeen * second)
    return { faults, feesPaid, knownMs }
  }
}

/** What an agreement puts at risk without the deposit. */
function atRisk(offer: PaidEvery, price: Amount): Amount {
  if (isMetered(offer)) return price * BigInt(INTERVALS_AGREED)
  return price < WORTH_A_CASE ? price : 0n
}
