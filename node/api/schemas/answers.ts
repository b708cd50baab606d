import { Type, type Static } from 'typebox'
import { AmountText, TimeMs } from './basics.ts'

/** How much of a machine. */
export const quantityFields = {
  cpuMillis: Type.Integer(),
  memoryBytes: Type.Integer(),
  diskBytes: Type.Integer(),
  gpus: Type.Optional(Type.Integer()),
  /** Of each GPU. */
  gpuMemoryBytes: Type.Optional(Type.Integer()),
}

/** What came back for one offer of a job. */
export const OfferAnswersBody = Type.Object({
  /** When bidding closed. */
  at: TimeMs,
  /** Tasks on offer, and how many of them a provider took. */
  tasks: Type.Integer(),
  placed: Type.Integer(),
  /** Nodes that the offer was sent to. */
  asked: Type.Integer(),
  /** About how many nodes listen to such offers; absent where all of them were asked. */
  listeners: Type.Optional(Type.Integer()),
  /** Of those, the ones that neither bid nor declined in time. */
  silent: Type.Integer(),
  bids: Type.Integer(),
  declines: Type.Array(
    Type.Object({
      code: Type.String(),
      /** Providers that say exactly this. */
      count: Type.Integer(),
      /** Most that one task may ask there. */
      most: Type.Optional(Type.Object(quantityFields)),
      /** What such a task would cost there. */
      lowestPrice: Type.Optional(AmountText),
    }),
  ),
  /** What kept bidders from taking the award. */
  refusals: Type.Array(Type.Object({ code: Type.String(), count: Type.Integer() })),
  /** What kept tasks from being placed on good bids, and how many. */
  unplaced: Type.Optional(Type.Object({ code: Type.String(), tasks: Type.Integer() })),
})
export type OfferAnswersBody = Static<typeof OfferAnswersBody>
