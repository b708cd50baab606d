import { Type, type Static } from 'typebox'
import { OfferAnswersBody, quantityFields } from './answers.ts'
import { AmountText, Bytes32Text } from './basics.ts'
import { JobError, StateBody } from './jobs.ts'

/** What one task asks for, or what of it would have to change. */
const AskBody = Type.Object({ ...quantityFields, maxPrice: AmountText })

/** Why a job is, or was, not taken, and what would help. */
export const WhyBody = Type.Object({
  id: Bytes32Text,
  state: StateBody,
  error: Type.Optional(JobError),
  kind: Type.String(),
  bidWindowMs: Type.Integer(),
  ask: AskBody,
  /** Of the last offers that somebody declined or that did not place everything, the newest last. */
  answers: Type.Array(OfferAnswersBody),
  /** Where the newest offer reached nobody: who is connected now, and which kinds of jobs they take. */
  connected: Type.Optional(
    Type.Object({ nodes: Type.Integer(), kinds: Type.Record(Type.String(), Type.Integer()) }),
  ),
  /** By what the newest of these say. */
  whatIf: Type.Array(Type.Object({ change: Type.Partial(AskBody), bids: Type.Integer() })),
})
export type WhyBody = Static<typeof WhyBody>
