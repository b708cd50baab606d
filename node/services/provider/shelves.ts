import type { PeerId } from '../../domain/ids.ts'
import type { Verdict } from '../../domain/offer.ts'
import { listeningDepth, prefixOf } from '../../domain/rendezvous.ts'
import { minute } from '../../domain/units.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Gossip } from '../../ports/gossip.ts'
import { OFFER_TOPIC_RULES, offerTopic, pointOfPeer } from '../../protocol/topics.ts'

/** A topic for offers: those of a group whose point begins with these bits. */
export interface Shelf {
  readonly group: string
  readonly prefix: string
}

export interface ShelvesOptions {
  readonly network: string
  readonly groups: readonly string[]
  readonly peer: PeerId
}

/** How often the number of listeners is looked at, ms. */
const LOOK_EVERY_MS: number = 1 * minute
/** A shelf is left only when the network is this many times too small for it: estimates go up and down. */
const SPARE_DEPTH = 1

type Judge = (on: Shelf, bytes: Uint8Array) => Verdict

/**
 * The shelves that this node listens on: all offers of its groups, and in a network that has split them, those
 * nearest to it, half as many with each further bit.
 */
export class Shelves {
  readonly #parts: { readonly clock: Clock; readonly gossip: Gossip }
  readonly #options: ShelvesOptions
  /** Deeper shelves by group, the nearest first. */
  readonly #deeper = new Map<string, AbortController[]>()
  #judge: Judge | undefined

  constructor(parts: { readonly clock: Clock; readonly gossip: Gossip }, options: ShelvesOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Listens to all offers of each group until the signal aborts. */
  join(judge: Judge, signal: AbortSignal): void {
    this.#judge = judge
    for (const group of this.#options.groups) this.#subscribe({ group, prefix: '' }, signal)
  }

  /** After {@link join}: listens as deep as the network is large. Resolves when the signal aborts. */
  async keepUp(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const group of this.#options.groups) this.#adjust(group, signal)
      await this.#parts.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // the node stops
    }
  }

  #adjust(group: string, signal: AbortSignal): void {
    const { network, peer } = this.#options
    const depth = listeningDepth(this.#parts.gossip.listeners(offerTopic(network, group)))
    const joined = this.#deeper.get(group) ?? []
    while (joined.length < depth) {
      const leave = new AbortController()
      joined.push(leave)
      const prefix = prefixOf(pointOfPeer(peer), joined.length)
      this.#subscribe({ group, prefix }, AbortSignal.any([signal, leave.signal]))
    }
    while (joined.length > depth + SPARE_DEPTH) joined.pop()?.abort()
    this.#deeper.set(group, joined)
  }

  #subscribe(on: Shelf, signal: AbortSignal): void {
    const topic = offerTopic(this.#options.network, on.group, on.prefix)
    const options = { ...OFFER_TOPIC_RULES, signal }
    this.#parts.gossip.subscribe(topic, options, (bytes) => this.#judge?.(on, bytes) ?? 'ignore')
  }
}
