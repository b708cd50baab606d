import { Type, type Static } from 'typebox'

const Rate = Type.Number({ minimum: 0 })

/** What came of a challenge: what the peer claims, and what was timed here. */
export const ChallengeBody = Type.Object({
  peer: Type.String(),
  claim: Type.Object({
    cores: Type.Integer(),
    physicalCores: Type.Optional(Type.Integer()),
    memoryBytes: Type.Integer(),
  }),
  verdict: Type.Union([Type.Literal('shown'), Type.Literal('less'), Type.Literal('refuted')]),
  /** Of docs/protocol/challenge.md; present where `refuted`. */
  brokenRule: Type.Optional(Type.String()),
  lanes: Type.Integer(),
  coresShown: Rate,
  hashBytesPerSecond: Rate,
  hashBytesPerSecondAllCores: Rate,
  memory: Type.Optional(Type.Object({ bytes: Type.Integer(), tookMs: Rate })),
  roundTripMs: Rate,
  networkBytesPerSecond: Rate,
})
export type ChallengeBody = Static<typeof ChallengeBody>
