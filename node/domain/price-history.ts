import type { Amount } from './money.ts'
import type { OfferAsk } from './offer-ask.ts'
import { isPaidByUse, pricedCoreMs, type UseTerms } from './paid-use.ts'
import { hour } from './units.ts'

/** Where a price was seen, in the order in which they are shown. */
export const PRICE_SOURCES = ['limit', 'bid', 'agreed'] as const
/**
 * `limit`: what requesters offered to pay at most, of offers heard and own ones; `bid`: what providers asked, of bids
 * received and own ones; `agreed`: what this node's own jobs were agreed at.
 */
export type PriceSource = (typeof PRICE_SOURCES)[number]

/** What an hour's prices from one source came to. */
export interface PriceTally {
  readonly count: number
  readonly low: Amount
  readonly high: Amount
  /** Price, rounded to {@link KEPT_DIGITS}, and how many were so; the lowest first. */
  readonly spread: readonly (readonly [Amount, number])[]
}

/** The prices of one class of offers that a node saw within one hour. */
export interface PriceHour {
  /** Offers' class. */
  readonly class: string
  /** Whether prices are of a GPU's second, not of a core's. */
  readonly ofGpus: boolean
  /** Start of the hour, Unix ms. */
  readonly at: number
  readonly tallies: Readonly<Partial<Record<PriceSource, PriceTally>>>
}

/** Prices that differ by less count as one: a median is right to half a per cent. */
const KEPT_DIGITS = 3
/** Distinct prices of an hour and source that are kept; of stranger ones only their count and the bounds are. */
const MAX_SPREAD = 256

/** Start of the hour that a moment is in, Unix ms. */
export function hourOf(at: number): number {
  return at - (at % hour)
}

/**
 * What one second of one core comes to, or of one GPU where tasks ask for GPUs: the price of a task over all that it
 * reserves for its time limit, or may use where its use is paid, so that prices of small and large tasks compare. Rounded up to one base unit.
 */
export function unitPrice(
  price: Amount,
  ask: UseTerms & Pick<OfferAsk, 'gpus' | 'payEveryMs'>,
): Amount {
  const ms = BigInt(ask.payEveryMs > 0 ? 1000 : Math.max(1, ask.taskTimeoutMs))
  const cores = isPaidByUse(ask)
    ? pricedCoreMs(ask)
    : (BigInt(Math.max(1, ask.cpuMillis)) * ms) / 1000n
  const reserved = ask.gpus > 0 ? BigInt(ask.gpus) * ms : cores
  const most = reserved > 0n ? reserved : 1n
  return (price * 1000n + most - 1n) / most
}

/** The tally with one more price in it. */
export function tallied(before: PriceTally | undefined, price: Amount): PriceTally {
  const spread = new Map(before?.spread)
  const rounded = roundedTo(price)
  const times = spread.get(rounded)
  if (times !== undefined || spread.size < MAX_SPREAD) spread.set(rounded, (times ?? 0) + 1)
  return {
    count: (before?.count ?? 0) + 1,
    low: before === undefined || price < before.low ? price : before.low,
    high: before === undefined || price > before.high ? price : before.high,
    spread: [...spread].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  }
}

/** The price that half of a tally's were at most. */
export function medianOf({ spread, low }: PriceTally): Amount {
  const half = spread.reduce((sum, [, times]) => sum + times, 0) / 2
  let seen = 0
  for (const [price, times] of spread) {
    seen += times
    if (seen >= half) return price
  }
  return low
}

function roundedTo(price: Amount): Amount {
  const unit = 10n ** BigInt(Math.max(0, price.toString().length - KEPT_DIGITS))
  return ((price + unit / 2n) / unit) * unit
}
