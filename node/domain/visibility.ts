import type { ErrorCode } from './error-codes.ts'

/** Why others may not see a node, as codes of the table of errors. */
export type VisibilityFault = Extract<
  ErrorCode,
  'NODE_ALONE' | 'NODE_UNHEARD' | 'NODE_UNLISTED' | 'NODE_UNREACHABLE'
>

/** What one peer says of a node that asked it. */
export interface Sighting {
  /** Whether it finds a valid advert of the node in the DHT. */
  readonly listed: boolean
  /** Whether it could connect to the node; left out: it had nothing to try. */
  readonly reached?: boolean
}

/** How a node is seen, from what can be told at home and what peers say. */
export interface Outlook {
  readonly connected: number
  /** Topics that others listen on, but none of them passes messages on to this node. */
  readonly cutTopics: number
  /** Whether others reach it through relays, so that no direct connection is missed. */
  readonly relayed: boolean
  readonly sightings: readonly Sighting[]
}

/** What is wrong. One peer that sees the node is enough: others may be the ones at fault. */
export function visibilityFaults({
  connected,
  cutTopics,
  relayed,
  sightings,
}: Outlook): readonly VisibilityFault[] {
  if (connected === 0) return ['NODE_ALONE']
  const isUnlisted = sightings.length > 0 && !sightings.some(({ listed }) => listed)
  const tried = sightings.filter(({ reached }) => reached !== undefined)
  const isUnreachable = !relayed && tried.length > 0 && !tried.some(({ reached }) => reached)
  return [
    ...(cutTopics > 0 ? (['NODE_UNHEARD'] as const) : []),
    ...(isUnlisted ? (['NODE_UNLISTED'] as const) : []),
    ...(isUnreachable ? (['NODE_UNREACHABLE'] as const) : []),
  ]
}
