import { medianOf, PRICE_SOURCES, type PriceHour } from '../../domain/price-history.ts'
import type { PricesBody } from '../schemas/prices.ts'

/** Hours of prices with their amounts as text. */
export function pricesView(hours: readonly PriceHour[]): PricesBody {
  return {
    hours: hours.map(({ class: name, at, ofGpus, tallies }) => ({
      class: name,
      at,
      per: ofGpus ? 'gpu-second' : 'core-second',
      tallies: PRICE_SOURCES.flatMap((source) => {
        const tally = tallies[source]
        if (tally === undefined) return []
        const { count, low, high } = tally
        return [{ source, count, low: `${low}`, median: `${medianOf(tally)}`, high: `${high}` }]
      }),
    })),
  }
}
