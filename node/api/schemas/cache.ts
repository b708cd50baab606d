import { Type, type Static } from 'typebox'
import { CidText, TimeMs } from './basics.ts'

/** Results of one spec that the node has at hand. */
export const CacheEntryBody = Type.Object({
  /** CID of the spec: it says all that decides the results. */
  spec: CidText,
  image: Type.String(),
  tasks: Type.Integer(),
  /** Tasks of which a result is known. */
  known: Type.Integer(),
  bytes: Type.Integer(),
  storedAt: TimeMs,
  usedAt: TimeMs,
  /** Tasks that were answered with it so far. */
  hits: Type.Integer(),
})
export type CacheEntryBody = Static<typeof CacheEntryBody>
