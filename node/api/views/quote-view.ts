import type { Quote } from '../../services/requester/quoting.ts'
import type { QuoteBody } from '../schemas/quotes.ts'
import { answersView } from './answers-view.ts'

/** A quote with its amounts as text. */
export function quoteView({ prices, shares, answers, ...quote }: Quote): QuoteBody {
  const [lowest] = prices
  const median = prices[Math.floor((prices.length - 1) / 2)]
  const highest = prices.at(-1)
  const isBid = lowest !== undefined && median !== undefined && highest !== undefined
  return {
    tasks: quote.tasks,
    placed: quote.placed,
    bids: prices.length,
    ...(isBid && { price: { lowest: `${lowest}`, median: `${median}`, highest: `${highest}` } }),
    total: quote.total.toString(),
    byMs: Math.max(0, ...shares.map(({ byMs }) => byMs)),
    shares: shares.map((share) => ({ ...share, pricePerTask: share.pricePerTask.toString() })),
    answers: answersView(answers),
  }
}
