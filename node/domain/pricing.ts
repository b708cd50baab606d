import { kindOfClass } from './job-spec.ts'
import { isMetered } from './metering.ts'
import type { Amount } from './money.ts'
import type { Offer } from './offer.ts'
import { isPaidByUse, pricedCoreMs } from './paid-use.ts'

/** What a provider asks. */
export interface PriceList {
  /** For starting a task at all. */
  readonly perTask: Amount
  /**
   * For each core-second that the offer reserves per task, up to {@link PriceList.reservedSecondsCap}; of tasks that are
   * paid by use, for each that they may use.
   */
  readonly perCoreSecond: Amount
  /** For each second of each GPU that the offer reserves per task, up to the same cap. */
  readonly perGpuSecond: Amount
  /** Reserved seconds beyond this are not charged: a generous time-out is caution, not use. */
  readonly reservedSecondsCap: number
}

/** Prices one task of an offer; each rule is one function of what is asked and of the node's load, from 0. */
export type PricingRule = (offer: Offer, list: PriceList, load: number) => Amount

/**
 * Thousandths of the list price that a node asks under `follow`: idle, half busy, fully busy with nobody waiting, and
 * with as much waiting as it has room for, or more. Bounded on both sides, so that no requester meets a price beyond three times the
 * list and no provider works for less than two thirds of it; flatter below the middle than above, because an idle machine
 * costs its owner little, and rising on where work waits, so that it goes where it need not.
 */
export const FOLLOW_PERMILLE = { idle: 667, half: 1000, full: 2000, queued: 3000 } as const
/** The loads at which a node asks that; 1 is all of the machine. */
const FOLLOW_LOADS = { idle: 0, half: 0.5, full: 1, queued: 2 } as const

/** The rules a provider's config can name. A new rule is one more entry. */
export const PRICING_RULES = {
  /** The list price, whatever the load. */
  posted: listPrice,
  /**
   * The list price times a factor that rises with the node's own load, between the bounds of {@link FOLLOW_PERMILLE}.
   * It depends on nothing that others say, only on what they have awarded, so nobody can talk a price up or down for
   * nothing, and as busier nodes get dearer than idle ones, work drifts to where there is room.
   */
  follow: (offer, list, load) =>
    (listPrice(offer, list) * BigInt(followPermille(load)) + 999n) / 1000n,
} as const satisfies Record<string, PricingRule>

/** Name of a rule in {@link PRICING_RULES}. */
export type PricingRuleName = keyof typeof PRICING_RULES

/** Everything that decides what a provider asks. */
export interface PriceTerms {
  readonly pricing: PricingRuleName
  readonly prices: PriceList
  /** By kind: never less than this for a task. */
  readonly leastPrices: Readonly<Partial<Record<string, Amount>>>
}

/**
 * What a provider on these terms asks for one task of the offer, or for a second of it, when what runs and waits there
 * makes this `load`: 1 is all of the machine.
 */
export function askedPrice(offer: Offer, terms: PriceTerms, load: number): Amount {
  const rule: PricingRule = PRICING_RULES[terms.pricing]
  const price = rule(offer, terms.prices, load)
  const leastForTask = terms.leastPrices[kindOfClass(offer.class)] ?? 0n
  const least = isMetered(offer) ? aSecondOf(leastForTask, terms.prices) : leastForTask
  return price > least ? price : least
}

function listPrice(offer: Offer, list: PriceList): Amount {
  if (isMetered(offer)) return secondPrice(offer, list)
  if (isPaidByUse(offer)) return usePrice(offer, list)
  const seconds = BigInt(Math.min(Math.ceil(offer.taskTimeoutMs / 1000), list.reservedSecondsCap))
  const cores = (list.perCoreSecond * seconds * BigInt(offer.cpuMillis)) / 1000n
  return list.perTask + cores + list.perGpuSecond * seconds * BigInt(offer.gpus)
}

/** Of a task that is paid by its use: of all that it may use, without a cap, for what it leaves is not paid; never nothing. */
function usePrice(offer: Offer, list: PriceList): Amount {
  const price = list.perTask + (list.perCoreSecond * pricedCoreMs(offer) + 999n) / 1000n
  return price > 0n ? price : 1n
}

/** Of a task that is paid by the second: what it reserves, without a price for its start; never nothing. */
function secondPrice(offer: Offer, list: PriceList): Amount {
  const cores = (list.perCoreSecond * BigInt(offer.cpuMillis) + 999n) / 1000n
  const price = cores + list.perGpuSecond * BigInt(offer.gpus)
  return price > 0n ? price : 1n
}

/** A price of a task, spread over the seconds that are charged at most. */
function aSecondOf(price: Amount, { reservedSecondsCap }: PriceList): Amount {
  const seconds = BigInt(Math.max(1, reservedSecondsCap))
  return (price + seconds - 1n) / seconds
}

function followPermille(load: number): number {
  if (load <= FOLLOW_LOADS.idle) return FOLLOW_PERMILLE.idle
  if (load >= FOLLOW_LOADS.queued) return FOLLOW_PERMILLE.queued
  const [from, to] =
    load < FOLLOW_LOADS.half
      ? (['idle', 'half'] as const)
      : load < FOLLOW_LOADS.full
        ? (['half', 'full'] as const)
        : (['full', 'queued'] as const)
  const part = (load - FOLLOW_LOADS[from]) / (FOLLOW_LOADS[to] - FOLLOW_LOADS[from])
  return Math.round(FOLLOW_PERMILLE[from] + (FOLLOW_PERMILLE[to] - FOLLOW_PERMILLE[from]) * part)
}
