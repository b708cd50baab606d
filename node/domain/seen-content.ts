import type { Cid } from './ids.ts'
import { isBillable, type TaskResult } from './receipt.ts'
import { day } from './units.ts'

/** What a requester remembers of the contents that went to a provider or came from it. */
export interface SeenContent {
  /** The latest last; `at` is Unix ms. */
  readonly held: readonly { readonly cid: Cid; readonly at: number }[]
  /** What a task of a program took there last, the latest last. */
  readonly paces: readonly { readonly program: Cid; readonly taskMs: number }[]
}

export const NOTHING_SEEN: SeenContent = { held: [], paces: [] }

/** Contents remembered for each provider; the earliest go. */
export const MAX_HELD = 256
/** Programs whose pace is remembered for each provider; the earliest go. */
export const MAX_PACES = 16
/** How long a provider is taken to hold what it had, ms: nodes keep what was used last, as far as their disk goes. */
export const HELD_MS: number = 1 * day

/** The record once these contents went to the provider or came from it. `now` is Unix ms. */
export function withContents(seen: SeenContent, cids: readonly Cid[], now: number): SeenContent {
  const added = new Set(cids)
  const others = seen.held.filter(({ cid, at }) => !added.has(cid) && now < at + HELD_MS)
  const held = [...others, ...[...added].map((cid) => ({ cid, at: now }))].slice(-MAX_HELD)
  return { ...seen, held }
}

/** The record once a task of a program is known to take so long there. */
export function withPace(seen: SeenContent, program: Cid, taskMs: number): SeenContent {
  const others = seen.paces.filter((each) => each.program !== program)
  return { ...seen, paces: [...others, { program, taskMs }].slice(-MAX_PACES) }
}

/** What a task of a program took at a provider last, ms; `undefined` when that is not known. */
export function paceOf({ paces }: SeenContent, program: Cid): number | undefined {
  return paces.find((each) => each.program === program)?.taskMs
}

/** Of these contents, with their sizes, what the provider is taken to hold, bytes. `now` is Unix ms. */
export function heldBytes(
  { held }: SeenContent,
  sizes: ReadonlyMap<Cid, number>,
  now: number,
): number {
  return held.reduce(
    (sum, { cid, at }) => (now < at + HELD_MS ? sum + (sizes.get(cid) ?? 0) : sum),
    0,
  )
}

/**
 * What a task of a share took, ms: the mean of what its provider says, within what the share as a whole took here. So a
 * provider can look faster than it was by no more than as if all tasks had run at once. `undefined` of no ended task.
 */
export function taskPace(results: readonly TaskResult[], tookMs: number): number | undefined {
  const ended = results.filter(({ reason }) => isBillable(reason))
  if (ended.length === 0) return undefined
  const mean = ended.reduce((sum, { usage }) => sum + usage.wallMs, 0) / ended.length
  return Math.max(1, tookMs / results.length, Math.min(tookMs, mean))
}
