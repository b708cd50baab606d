import type { Amount } from './money.ts'
import type { Offer } from './offer.ts'

/** What a provider asks. */
export interface PriceList {
  /** For starting a task at all. */
  readonly perTask: Amount
  /** For each core-second that the offer reserves per task, up to {@link PriceList.reservedSecondsCap}. */
  readonly perCoreSecond: Amount
  /** For each GPU and second, likewise; left out: nothing. */
  readonly perGpuSecond?: Amount
  /** Reserved seconds beyond this are not charged: a generous time-out is caution, not use. */
  readonly reservedSecondsCap: number
}

/** Prices one task of an offer; each rule is one function of what is asked and how busy the node is. */
export type PricingRule = (offer: Offer, list: PriceList, utilisation: number) => Amount

/** The rules a provider's config can name. A new rule is one more entry. */
export const PRICING_RULES = {
  /** The list price, whatever the load. */
  posted: (offer, list) => {
    const seconds = BigInt(Math.min(Math.ceil(offer.taskTimeoutMs / 1000), list.reservedSecondsCap))
    const cores = (list.perCoreSecond * seconds * BigInt(offer.cpuMillis)) / 1000n
    return list.perTask + cores + (list.perGpuSecond ?? 0n) * seconds * BigInt(offer.gpus)
  },
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

/** What a provider on these terms asks for one task of the offer, at this load (0 to 1). */
export function askedPrice(offer: Offer, terms: PriceTerms, utilisation: number): Amount {
  const rule: PricingRule = PRICING_RULES[terms.pricing]
  const price = rule(offer, terms.prices, utilisation)
  const least = terms.leastPrices[offer.class] ?? 0n
  return price > least ? price : least
}
