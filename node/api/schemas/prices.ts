import { Type, type Static } from 'typebox'
import { AmountText, TimeMs } from './basics.ts'

const TallyBody = Type.Object({
  source: Type.Union([Type.Literal('limit'), Type.Literal('bid'), Type.Literal('agreed')]),
  count: Type.Integer({ minimum: 1 }),
  /** Of one core's second, or one GPU's: see `per`. */
  low: AmountText,
  median: AmountText,
  high: AmountText,
})

/** What computing cost, by class and hour, as this node saw it; the oldest hour first. */
export const PricesBody = Type.Object({
  hours: Type.Array(
    Type.Object({
      class: Type.String(),
      /** Start of the hour. */
      at: TimeMs,
      per: Type.Union([Type.Literal('core-second'), Type.Literal('gpu-second')]),
      tallies: Type.Array(TallyBody),
    }),
  ),
})
export type PricesBody = Static<typeof PricesBody>
