import { Type, type Static } from 'typebox'
import { OfferAnswersBody } from './answers.ts'
import { AddressText, AmountText } from './basics.ts'

/** What a job would come to now. Nothing was agreed, reserved or paid. */
export const QuoteBody = Type.Object({
  tasks: Type.Integer(),
  /** How many of them somebody would take. */
  placed: Type.Integer(),
  bids: Type.Integer(),
  /** Of one task, over all bids; absent without any. */
  price: Type.Optional(
    Type.Object({ lowest: AmountText, median: AmountText, highest: AmountText }),
  ),
  /** What the providers that would get the job ask for it. */
  total: AmountText,
  /** When the last of them is done if every task takes all its time, ms from now. */
  byMs: Type.Integer(),
  shares: Type.Array(
    Type.Object({
      provider: AddressText,
      peer: Type.String(),
      tasks: Type.Integer(),
      pricePerTask: AmountText,
      etaMs: Type.Integer(),
      byMs: Type.Integer(),
      /** A channel with it comes first: one transaction. */
      opensChannel: Type.Boolean(),
    }),
  ),
  answers: OfferAnswersBody,
})
export type QuoteBody = Static<typeof QuoteBody>
